import { parseJsonBody } from '../serving/json-body.ts'

/** Orders and heads as one node tells them to others. Each proves itself, so who carries it does not matter. */
export interface OrderTelling {
  readonly orders: readonly string[]
  readonly heads: readonly string[]
}

/** Asks instances for the orders after what is held. */
export interface OrderQuestion {
  /** The instances that shall answer. */
  readonly of: readonly string[]
  /** Owner → sequence of the last order that is held. */
  readonly after: Readonly<Record<string, number>>
}

/** Topics of the events that carry orders. */
export const orderTopics = { told: 'orders', wanted: 'orders-wanted' } as const

/** Orders in one event; more travel in several. */
export const maxOrdersTold = 32
const maxHeadsTold = 16
const maxAsked = 2
/** Owners whose orders a node may follow: their sequences have to fit a card. */
export const maxOrderOwners = 1_024
const maxTokenLength = 16_384

/** Encodes a telling as the JSON body of an event. */
export function encodeOrderTelling(telling: OrderTelling): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(telling))
}

/** Decodes a telling; undefined if it is none. */
export function decodeOrderTelling(body: Uint8Array): OrderTelling | undefined {
  const { orders, heads } = (parseJsonBody(body)?.value ?? {}) as Partial<Record<keyof OrderTelling, unknown>>
  if (!isTokens(orders, maxOrdersTold) || !isTokens(heads, maxHeadsTold)) return undefined
  return { orders, heads }
}

/** Encodes a question as the JSON body of an event. */
export function encodeOrderQuestion(question: OrderQuestion): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(question))
}

/** Decodes a question; undefined if it is none. */
export function decodeOrderQuestion(body: Uint8Array): OrderQuestion | undefined {
  const { of, after } = (parseJsonBody(body)?.value ?? {}) as Partial<Record<keyof OrderQuestion, unknown>>
  if (!isTokens(of, maxAsked)) return undefined
  return isSequences(after) ? { of, after } : undefined
}

/** Tells whether a value maps owners to sequences of their orders. */
export function isSequences(value: unknown): value is Readonly<Record<string, number>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const entries = Object.entries(value)
  return (
    entries.length <= maxOrderOwners && entries.every(([, sequence]) => Number.isSafeInteger(sequence) && sequence >= 0)
  )
}

function isTokens(value: unknown, most: number): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length <= most &&
    value.every((token) => typeof token === 'string' && token.length <= maxTokenLength)
  )
}
