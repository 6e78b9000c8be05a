import { compilePolicy, type PolicyForm, type PolicyPart, type PolicySet } from '@parley/policy'
import { MeshError } from '@parley/protocol'
import type { PolicyDoor } from './policy-door.ts'
import type { PolicyGate, PolicyReleaseFacts } from './released-policy.ts'
import { shortenReason } from '../serving/shorten-reason.ts'

/** The policy that a node decides by at this moment. */
export interface PolicyInForce {
  current(): PolicySet
  /** Who released it and as which number, where the node takes only what is released. */
  facts(): PolicyReleaseFacts | undefined
  /** Says what is in force from the start; with a gate only if it is released. Rejects as `PolicyGate.admit`. */
  open(door: PolicyDoor, release: string | undefined): Promise<void>
  /**
   * Compiles documents and puts them in force at once, so that every decision is by one whole set; one reload after the
   * other. Rejects with `policy.invalid`, or as `PolicyGate.admit`, and then nothing has changed. Notes what became of it.
   */
  reload(door: PolicyDoor, parts: readonly PolicyPart[], release: string | undefined): Promise<void>
}

/** Starts with a compiled set; `forms` recognise what is reloaded. */
export function createPolicyInForce(first: PolicySet, forms: readonly PolicyForm[]): PolicyInForce {
  let current = first
  let facts: PolicyReleaseFacts | undefined
  let turn: Promise<unknown> = Promise.resolve()
  const replace = async (
    { note, gate }: PolicyDoor,
    parts: readonly PolicyPart[],
    release: string | undefined,
  ): Promise<void> => {
    const before = current.policyHash
    try {
      const next = compilePolicy(parts, { forms })
      facts = await admit(gate, next, release)
      current = next
    } catch (error) {
      const reason = shortenReason(error instanceof Error ? error.message : 'not an error')
      note({ kind: 'lifecycle', event: 'policy-kept', policy: before, reason })
      throw error
    }
    note({ kind: 'lifecycle', event: 'policy-reloaded', policy: current.policyHash, before, ...facts })
  }
  return {
    current: () => current,
    facts: () => facts,
    async open({ note, gate }, release) {
      facts = await admit(gate, current, release)
      note({ kind: 'lifecycle', event: 'policy-loaded', policy: current.policyHash, ...facts })
    },
    reload(door, parts, release) {
      const next = turn.then(() => replace(door, parts, release))
      turn = next.catch(() => undefined)
      return next
    },
  }
}

async function admit(
  gate: PolicyGate | undefined,
  { policyHash }: PolicySet,
  release: string | undefined,
): Promise<PolicyReleaseFacts | undefined> {
  if (gate) return gate.admit(policyHash, release)
  if (release === undefined) return undefined
  throw new MeshError('mesh.config-invalid', 'a release was given, but the node names nobody in `policySignedBy`')
}
