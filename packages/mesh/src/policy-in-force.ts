import { compilePolicy, type PolicyForm, type PolicyPart, type PolicySet } from '@parley/policy'
import type { EventLog } from './event-log.ts'
import { shortenReason } from './shorten-reason.ts'

/** The policy that a node decides by at this moment. */
export interface PolicyInForce {
  current(): PolicySet
  /**
   * Compiles documents and puts them in force at once, so that every decision is by one whole set. Throws
   * `policy.invalid`, and then nothing has changed. Notes what became of it.
   */
  reload(parts: readonly PolicyPart[], note: EventLog): void
}

/** Starts with a compiled set; `forms` recognise what is reloaded. */
export function createPolicyInForce(first: PolicySet, forms: readonly PolicyForm[]): PolicyInForce {
  let current = first
  return {
    current: () => current,
    reload(parts, note) {
      const before = current.policyHash
      try {
        current = compilePolicy(parts, { forms })
      } catch (error) {
        const reason = shortenReason(error instanceof Error ? error.message : 'not an error')
        note({ kind: 'lifecycle', event: 'policy-kept', policy: before, reason })
        throw error
      }
      note({ kind: 'lifecycle', event: 'policy-reloaded', policy: current.policyHash, before })
    },
  }
}
