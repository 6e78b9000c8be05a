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
  /** Which side asks for people: of an inbound hop who would do the work, else who asks for it. */
  readonly direction: string
  /** `owner name`: nobody approves of their own request. */
  readonly requester: string
  readonly callee: string
  readonly onBehalfOf: string
  readonly expiresAtMs: number
}

/**
 * Weighs answers: one denial, or an amendment, ends it; else every demand needs as many different people as it requires, of
 * those that it names, none of them who asked; a demand that names nobody hears the people of the owner whose policy it is. What
 * expired counts for nothing, and a request that did is denied.
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
    const people = new Set(granted.filter((answer) => isMeant(approvers, request, answer)).map(({ by }) => by))
    return people.size >= requires
  }
  return request.demands.length > 0 && request.demands.every(isMet) ? 'granted' : 'waiting'
}

/** Tells whether somebody has a say in a request at all. */
export function isHeard(
  request: Omit<WeighedRequest, 'expiresAtMs'>,
  answer: Pick<ApprovalAnswer, 'by' | 'name'>,
): boolean {
  if (answer.by === request.requester || answer.name === request.onBehalfOf) return false
  return request.demands.some(({ approvers }) => isMeant(approvers, request, answer))
}

function isMeant(
  approvers: readonly string[],
  { direction, callee, requester }: Pick<WeighedRequest, 'direction' | 'callee' | 'requester'>,
  { by, name }: Pick<ApprovalAnswer, 'by' | 'name'>,
): boolean {
  if (approvers.length > 0) return approvers.includes(name)
  return ownerOfParty(by) === ownerOfParty(direction === 'inbound' ? callee : requester)
}

/** Reads the owner of a party, `owner name`. */
export function ownerOfParty(party: string): string {
  return party.slice(0, party.indexOf(' '))
}
