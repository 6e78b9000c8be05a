import type { ApprovalWord } from '@parley/policy'
import type { ApprovalRequest, KeptAnswer } from './approval-request.ts'

/** What became of a request. `open`: people are asked, and whether their words so far are enough is for the node to weigh. */
export type ApprovalStatus = 'open' | 'denied' | 'amended' | 'expired' | 'used'

/** A request as people are shown it: everything that its digest covers, and what was said. */
export interface ApprovalView extends Omit<ApprovalRequest, 'answers'> {
  readonly status: ApprovalStatus
  readonly answers: readonly {
    readonly word: ApprovalWord
    readonly name: string
    readonly atMs: number
    readonly text?: string
    readonly arguments?: unknown
    readonly becomes?: string
  }[]
}

/** Describes a request to people. The signed answers stay where they are. */
export function describeRequest({ answers, ...request }: ApprovalRequest, nowMs: number): ApprovalView {
  return { ...request, status: statusOf({ answers, ...request }, nowMs), answers: answers.map(describeAnswer) }
}

function describeAnswer(kept: KeptAnswer): ApprovalView['answers'][number] {
  const { word, name, atMs, text, becomes } = kept
  return {
    word,
    name,
    atMs,
    ...(text === undefined ? {} : { text }),
    ...(becomes === undefined ? {} : { becomes, arguments: kept.arguments }),
  }
}

function statusOf({ answers, usedAtMs, expiresAtMs }: ApprovalRequest, nowMs: number): ApprovalStatus {
  if (usedAtMs !== undefined) return 'used'
  if (answers.some(({ word }) => word === 'denied')) return 'denied'
  if (answers.some(({ word, becomes }) => word === 'amended' && becomes !== undefined)) return 'amended'
  return nowMs < expiresAtMs ? 'open' : 'expired'
}
