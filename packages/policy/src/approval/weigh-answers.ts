import type { ApprovalDemand } from '../approval-demand.ts'

/** What an approver can say. `amended` proposes other arguments; `answered` says something without deciding. */
export const approvalAnswers = ['granted', 'denied', 'amended', 'answered'] as const

/** One of `approvalAnswers`. */
export type ApprovalWord = (typeof approvalAnswers)[number]

/** An answer whose signature held. */
export interface ApprovalAnswer {
  readonly word: ApprovalWord
  /** `owner name` of the person. */
  readonly by: string
  /** Its agent name, as `approvers` write it. */
  readonly name: string
  readonly expiresAtMs: number
}

/** Where a request stands. */
export type ApprovalState = 'waiting' | 'granted' | 'denied'

/** What answers are weighed against. */
export interface WeighedRequest {
  readonly demands: readonly ApprovalDemand[]
  /** `owner name`: nobody approves of their own request. */
  readonly requester: string
  readonly onBehalfOf: string
  readonly expiresAtMs: number
}

/**
 * Weighs answers: one denial, or an amendment, ends it; else every demand needs as many different people as it requires, of
 * those that it names, none of them who asked. What expired counts for nothing, and a request that did is denied.
 */
export function weighAnswers(
  request: WeighedRequest,
  answers: readonly ApprovalAnswer[],
  nowMs: number,
): ApprovalState {
  const mayAnswer = (answer: ApprovalAnswer): boolean => isHeard(request, answer)
  if (answers.some((answer) => mayAnswer(answer) && (answer.word === 'denied' || answer.word === 'amended')))
    return 'denied'
  if (nowMs >= request.expiresAtMs) return 'denied'
  const granted = answers.filter(
    (answer) => answer.word === 'granted' && answer.expiresAtMs > nowMs && mayAnswer(answer),
  )
  const isMet = ({ approvers, requires }: ApprovalDemand): boolean => {
    const people = new Set(granted.filter(({ name }) => isNamed(approvers, name)).map(({ by }) => by))
    return people.size >= requires
  }
  return request.demands.length > 0 && request.demands.every(isMet) ? 'granted' : 'waiting'
}

/** Tells whether somebody has a say in a request at all. */
export function isHeard(
  { demands, requester, onBehalfOf }: Omit<WeighedRequest, 'expiresAtMs'>,
  { by, name }: Pick<ApprovalAnswer, 'by' | 'name'>,
): boolean {
  if (by === requester || name === onBehalfOf) return false
  return demands.some(({ approvers }) => isNamed(approvers, name))
}

function isNamed(approvers: readonly string[], name: string): boolean {
  return approvers.length === 0 || approvers.includes(name)
}
