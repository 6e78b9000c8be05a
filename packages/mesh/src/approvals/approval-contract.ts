import { defineContract, type Contract } from '../contract/contract.ts'
import { field, messageSchema } from '../contract/message-schema.ts'
import type { Schema } from '../contract/schema.ts'
import type { ApprovalView } from './approval-view.ts'

/** Why an answer counts for nothing. */
export interface ApprovalRefused {
  readonly code: string
  readonly reason: string
}

interface ListAsked {
  /** `open` for what waits only. */
  readonly status?: string
  /** The `next` of the page before. */
  readonly after?: string
}
interface ListAnswer {
  readonly requests: readonly ApprovalView[]
  /** Where the next page begins; absent on the last one. */
  readonly next?: string
}
interface AnswerAsked {
  readonly answer: string
}
type Done = Readonly<Record<never, never>>

const { objects, optional, text } = field
const errors = { refused: messageSchema<ApprovalRefused>({ code: text(64), reason: text(4_096) }) }

/**
 * What a node serves about its approvals, so that people reach them while it runs: each a capability of its own under policy.
 * `approvals:answer` takes the signed answer of a person; whoever brings it is only its bearer. Bodies are encrypted, since
 * requests show the arguments of calls.
 */
export const approvalContract: ApprovalContract = defineContract('approvals', {
  list: {
    input: messageSchema<ListAsked>({ status: optional(text(16)), after: optional(text(64)) }),
    output: messageSchema<ListAnswer>({ requests: objects, next: optional(text(64)) }),
    errors,
    risk: 'read',
    confidential: true,
  },
  answer: {
    input: messageSchema<AnswerAsked>({ answer: text(16_384) }),
    output: messageSchema<Done>({}),
    errors,
    risk: 'reversible',
    confidential: true,
  },
})

interface Asked<Input, Output, Risk extends 'read' | 'reversible'> {
  readonly input: Schema<Input>
  readonly output: Schema<Output>
  readonly errors: { readonly refused: Schema<ApprovalRefused> }
  readonly risk: Risk
  readonly confidential: true
}

/** The type of `approvalContract`. */
export type ApprovalContract = Contract<{
  readonly list: Asked<ListAsked, ListAnswer, 'read'>
  readonly answer: Asked<AnswerAsked, Done, 'reversible'>
}>
