import { verifyDeclaration, type Anchors, type Assurance } from '@parley/identity'
import { isAgentName, MeshError } from '@parley/protocol'
import { isSameJson } from '../json-value.ts'
import { proposeDecision } from '../kernel/propose.ts'
import type { DecidedEvent } from '../kernel/saga-event.ts'
import type { SagaState } from '../kernel/saga-state.ts'
import { readOrder, refuseForeign, sagaPurpose } from '../runner/verify-human.ts'
import type { ProvenDecision } from './saga-account.ts'

/** What a decision is held against. */
export interface DecisionSetting {
  readonly state: SagaState
  readonly agent: string
  readonly atMs: number
  readonly anchors: Anchors
  /** How strongly the person must have signed in (NIST SP 800-63B). */
  readonly assurance: Assurance
  /** Owners besides the saga's whose persons may decide. */
  readonly deciders: readonly string[]
  /** The bodies of the decision are in the file. */
  readonly isWhole: boolean
}

/**
 * Verifies what a journal says that a person decided: signed by a person of the saga's owner or of one that is named, about
 * this saga, in these words, and as something that could be decided then. Throws a `MeshError`: `saga.decision-refused`, or the code of what does not hold.
 */
export function verifyDecision(decided: DecidedEvent, setting: DecisionSetting): Omit<ProvenDecision, 'line'> {
  const { state, agent, atMs, anchors, assurance, deciders, isWhole } = setting
  if ((decided as Partial<DecidedEvent>).declaration === undefined)
    throw new MeshError(
      'saga.decision-refused',
      'what a person signed is not in the file: its journal keeps bodies elsewhere',
    )
  const verdict = verifyDeclaration(decided.declaration, {
    purpose: sagaPurpose,
    anchors,
    nowMs: atMs,
    human: assurance,
  })
  if (verdict.kind === 'deny') throw new MeshError(verdict.code, `the decision: ${verdict.reason}`)
  const { content, credential } = verdict.declaration
  const foreign = refuseForeign(credential, findOwner(setting), deciders)
  if (foreign) throw new MeshError(foreign.code, foreign.reason)
  const read = readOrder(decided.declaration, content, credential.name)
  if (read.kind === 'deny') throw new MeshError(read.code, read.reason)
  const { order } = read
  const signed = isWhole ? order.decided : withoutOutput(order.decided)
  if (order.agent !== agent || order.saga !== state.started.id || !isSameJson(signed, decided))
    throw new MeshError('saga.decision-refused', `${credential.name} signed another decision than the journal has`)
  const proposed = proposeDecision(decided)(state)
  if ('kind' in proposed) throw new MeshError(proposed.code, proposed.reason)
  const { decision, about, reason } = decided
  const { owner, name, instance } = credential
  return { atMs, decision, ...(about !== undefined && { about }), reason, by: { owner, name, instance } }
}

/** The owner whom the journal names is believed where the verifier's anchors give it the name of the saga's agent. */
function findOwner({ state, agent, anchors }: DecisionSetting): string {
  const { owner } = state.started
  const named = isAgentName(agent) ? anchors.ofName(agent)?.owner : undefined
  if (named === undefined)
    throw new MeshError('identity.owner-unknown', `no anchor accepts the owner of ${agent}; add one if it shall be`)
  if (named === owner) return owner
  throw new MeshError('saga.decision-refused', `the saga says that it is of ${owner}, and ${agent} is of ${named}`)
}

function withoutOutput(decided: DecidedEvent): DecidedEvent {
  const { output: _output, ...rest } = decided
  return rest
}
