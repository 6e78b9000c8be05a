import { systemHash, type Hash } from '@parley/ports'
import { digestJson } from '../approval/approval-subject.ts'
import type { PolicyDecision } from '../decide-policy.ts'
import { explainPolicy, type PolicyExplanation } from '../explain-policy.ts'
import type { PolicySet } from '../policy-set.ts'
import type { RuleExplanation } from '../rule-explanation.ts'
import { restoreInput, type KeptInput } from './kept-input.ts'

/** A decision as it was recorded beside its hop. */
export interface KeptDecision {
  readonly kind: PolicyDecision['kind']
  readonly document: string
  readonly rule: string
  /** Of a denial. */
  readonly code?: string
  readonly policyHash: string
  readonly input: KeptInput
}

/** A recorded decision, decided again. */
export interface ReplayedDecision extends PolicyExplanation {
  /** The documents are those that decided. */
  readonly isSamePolicy: boolean
  /** Same kind, document, rule and code. */
  readonly isSameVerdict: boolean
  /** `missing` and `other`: a rule read the body, and it is not here, or has another digest. */
  readonly body: 'unread' | 'same' | 'missing' | 'other'
  /** Of a denial: the rule that said no, or of those that could have allowed it the one that came furthest, with its first false clause. */
  readonly failed?: RuleExplanation
}

/**
 * Decides again what was recorded, by given documents: the same inputs and the same policy give the same verdict. A body of
 * another digest than the recorded one is not decided on.
 */
export function replayDecision(
  set: PolicySet,
  kept: KeptDecision,
  options: { readonly body?: { readonly value: unknown } | undefined; readonly hash?: Hash } = {},
): ReplayedDecision {
  const { hash = systemHash } = options
  const { input } = kept
  // A call without arguments has a digest, and nothing to keep.
  const given = options.body ?? (input.body === digestJson(undefined, hash) ? { value: undefined } : undefined)
  const body = compareBody(input.body, given, hash)
  const explained = explainPolicy(set, restoreInput(input, body === 'same' ? given : undefined))
  const { decision } = explained
  const failed = findFailed(explained)
  return {
    ...explained,
    isSamePolicy: decision.policyHash === kept.policyHash,
    isSameVerdict:
      decision.kind === kept.kind &&
      decision.document === kept.document &&
      decision.rule === kept.rule &&
      (decision.kind === 'deny' ? decision.code : undefined) === kept.code,
    body,
    ...(failed ? { failed } : {}),
  }
}

function compareBody(
  digest: string | undefined,
  given: { readonly value: unknown } | undefined,
  hash: Hash,
): ReplayedDecision['body'] {
  if (digest === undefined || digest === 'unreadable') return 'unread'
  if (!given) return 'missing'
  return digestJson(given.value, hash) === digest ? 'same' : 'other'
}

/** Finds what a denial hangs on: the rule that denied, else the one that came closest to allowing. */
function findFailed({ decision, rules }: PolicyExplanation): RuleExplanation | undefined {
  if (decision.kind === 'allow') return undefined
  const asked = decision.document === '' ? rules : rules.filter(({ document }) => document === decision.document)
  const [closest] = asked
    .filter(({ effect, result }) => (effect === 'allow' || effect === 'require_approval') && result !== 'matched')
    .toSorted((left, right) => (right.held ?? 0) - (left.held ?? 0))
  return asked.find(({ rule }) => rule === decision.rule) ?? closest
}
