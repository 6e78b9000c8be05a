import { defineContract, type Contract } from '../contract/contract.ts'
import { field, messageSchema } from '../contract/message-schema.ts'
import type { Schema } from '../contract/schema.ts'
import type { DeadLetterView } from './dead-letter.ts'
import type { OpenedDeadLetter } from './dead-letters.ts'

type Nothing = Readonly<Record<never, never>>
interface OfLetter {
  readonly id: string
}
interface ListAsked {
  /** The `next` of the page before. */
  readonly after?: string
}
interface ListAnswer {
  readonly letters: readonly DeadLetterView[]
  /** Where the next page begins; absent on the last one. */
  readonly next?: string
}
interface ShowAnswer {
  readonly letter: OpenedDeadLetter
}
interface ReplayAnswer {
  /** How it ended: `ok`, `declined`, `refused`, `failed` or `unknown`, with the code or the error's name. */
  readonly outcome: string
  readonly code?: string
}

const { object, objects, optional, text } = field
const id = text(64)
const errors = { unknown: messageSchema<OfLetter>({ id }) }

/**
 * What a node serves about commands that it could not serve, each a capability of its own under policy: to look at them is a
 * read, to replay or drop one is for people (risk `administrative`). Bodies are encrypted, since they show arguments of calls.
 */
export const deadLetterContract: DeadLetterContract = defineContract('dead-letters', {
  list: {
    input: messageSchema<ListAsked>({ after: optional(id) }),
    output: messageSchema<ListAnswer>({ letters: objects, next: optional(id) }),
    errors,
    risk: 'read',
    confidential: true,
  },
  show: {
    input: messageSchema<OfLetter>({ id }),
    output: messageSchema<ShowAnswer>({ letter: object }),
    errors,
    risk: 'read',
    confidential: true,
  },
  replay: {
    input: messageSchema<OfLetter>({ id }),
    output: messageSchema<ReplayAnswer>({ outcome: text(16), code: optional(text(256)) }),
    errors,
    risk: 'administrative',
    confidential: true,
  },
  drop: {
    input: messageSchema<OfLetter>({ id }),
    output: messageSchema<Nothing>({}),
    errors,
    risk: 'administrative',
    confidential: true,
  },
})

interface Asked<Input, Output, Risk extends 'read' | 'administrative'> {
  readonly input: Schema<Input>
  readonly output: Schema<Output>
  readonly errors: { readonly unknown: Schema<OfLetter> }
  readonly risk: Risk
  readonly confidential: true
}

/** The type of `deadLetterContract`. */
export type DeadLetterContract = Contract<{
  readonly list: Asked<ListAsked, ListAnswer, 'read'>
  readonly show: Asked<OfLetter, ShowAnswer, 'read'>
  readonly replay: Asked<OfLetter, ReplayAnswer, 'administrative'>
  readonly drop: Asked<OfLetter, Nothing, 'administrative'>
}>
