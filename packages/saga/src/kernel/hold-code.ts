import type { ErrorCode } from '@parley/protocol'

/** What a step may wait for that time alone does not bring. */
export type Hold = 'approval' | 'authority' | 'allowance'

/** Refusals that a human or an owner can lift: the step waits for that, and nothing is undone for it. */
const holds: Readonly<Partial<Record<ErrorCode, Hold>>> = {
  'policy.approval-required': 'approval',
  // An attempt of the same step was faster: what became of it shows, or people are asked again.
  'policy.approval-used': 'approval',
  'delegation.allowance-spent': 'allowance',
  'delegation.expired': 'authority',
  'identity.quarantined': 'authority',
}

/** Tells what a refusal waits for; undefined where it is no such refusal. */
export function findHold(code: string): Hold | undefined {
  return Object.hasOwn(holds, code) ? holds[code as ErrorCode] : undefined
}
