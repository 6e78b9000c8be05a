import { compilePolicy, type PolicySet, type PolicySource } from '@parley/policy'
import type { EventLog } from './event-log.ts'
import { shortenReason } from './shorten-reason.ts'

/** The policy that a node decides by at this moment. */
export interface PolicyInForce {
  current(): PolicySet
  /**
   * Compiles documents and puts them in force at once, so that every decision is by one whole set. Throws
   * `policy.invalid`, and then nothing has changed. Notes what became of it.
   */
  reload(sources: readonly PolicySource[], note: EventLog): void
}

/** Starts with a compiled set. */
export function createPolicyInForce(first: PolicySet): PolicyInForce {
  let current = first
  return {
    current: () => current,
    reload(sources, note) {
      const before = current.policyHash
      try {
        current = compilePolicy(sources)
      } catch (error) {
        const reason = shortenReason(error instanceof Error ? error.message : 'not an error')
        note({ kind: 'lifecycle', event: 'policy-kept', policy: before, reason })
        throw error
      }
      note({ kind: 'lifecycle', event: 'policy-reloaded', policy: current.policyHash, before })
    },
  }
}
