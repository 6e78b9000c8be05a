import type { Hash } from '@parley/ports'
import { decidePolicy, watchInput, type PolicyDecision, type PolicyInput, type PolicySet } from '@parley/policy'
import type { EventLog } from '../node/event-log.ts'
import type { DecisionBodies } from './decision-bodies.ts'

/**
 * What a node keeps of its decisions, so that they can be replayed: what they read, with bodies as digests, or the bodies as
 * well.
 */
export type KeptDecisions = 'inputs' | 'bodies'

/** Decides, and records what the decision read. */
export interface DecisionKeeper {
  decide(set: PolicySet, input: PolicyInput, hop: string): PolicyDecision
}

/** What a keeper is made of. */
export interface DecisionKeeperParts {
  readonly keep: KeptDecisions
  readonly bodies: DecisionBodies
  readonly hash: Hash
  readonly note: EventLog
}

/** Leaves room in a record (16,384 characters) for what stands beside the input. */
const maxInputChars = 12_000

/**
 * Creates a keeper. The record of a decision stands in the audit log, before that of its hop. A body stands in the store
 * under its digest, from where it can be deleted: the log still proves what it was.
 */
export function createDecisionKeeper({ keep, bodies, hash, note }: DecisionKeeperParts): DecisionKeeper {
  return {
    decide(set, input, hop) {
      const watched = watchInput(input)
      const decision = decidePolicy(set, watched.input)
      const kept = watched.kept(hash)
      const text = JSON.stringify(kept)
      // Quotes are escaped once more in the record. One that does not fit says so, and cannot be replayed.
      const isKept = JSON.stringify(text).length <= maxInputChars
      note({
        kind: 'decision',
        hop,
        side: input.direction === 'inbound' ? 'callee' : 'caller',
        decided: decision.kind,
        document: decision.document,
        rule: decision.rule,
        code: decision.kind === 'deny' ? decision.code : undefined,
        policy: decision.policyHash,
        input: isKept ? text : undefined,
        isKept: isKept ? undefined : false,
      })
      const body = watched.body()
      if (keep === 'bodies' && kept.body !== undefined && body) bodies.keep(kept.body, body.value)
      return decision
    },
  }
}
