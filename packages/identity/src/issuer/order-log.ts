import type { Clock, Signer } from '@parley/ports'
import type { Did } from '@parley/protocol'
import { hashChain } from '../delegation/chain-hash.ts'
import { type OrderKind, type OrderTerms, signNextOrder } from '../order/order.ts'
import { signOrderHead } from '../order/order-head.ts'

/** What an owner's side knows of its orders. */
export interface OrderNews {
  /** The orders after the sequence that was asked for, in order. */
  readonly orders: readonly string[]
  /** The latest word on which order is the last. */
  readonly head: string
}

/** An owner's orders as its issuer keeps them. */
export interface OrderLog {
  /** Signs the owner's next order, one at a time. One that cannot be signed or kept takes no number. */
  order(kind: OrderKind, subject: string, terms?: OrderTerms): Promise<string>
  /** Tells what came after a sequence, and signs the head again when it is due. */
  orderNews(afterSequence: number): Promise<OrderNews>
}

/** A head is signed again this often, in milliseconds: well within half a minute, which what is irreversible asks for. */
const headEveryMs = 10_000

/** Creates the orders of one owner. `load` gives all that were signed, `append` keeps one more durably, under its number. */
export function createOrderLog(source: {
  readonly owner: Did
  readonly clock: Clock
  readonly ownerSigner: () => Promise<Signer>
  /** Signs heads, under `statement`. */
  readonly signer: Signer
  readonly statement: () => Promise<string>
  readonly load: () => Promise<readonly string[]>
  readonly append: (order: string, sequence: number) => Promise<void>
}): OrderLog {
  const { owner, clock, signer } = source
  let turn: Promise<unknown> = Promise.resolve()
  let head: { readonly token: string; readonly sequence: number; readonly issuedAtMs: number } | undefined
  return {
    order(kind, subject, terms = {}) {
      const next = turn.then(async () => {
        const orders = await source.load()
        const ownerSigner = await source.ownerSigner()
        const order = await signNextOrder(ownerSigner, orders, { kind, subject, ...terms, issuedAtMs: clock.now() })
        await source.append(order, orders.length + 1)
        return order
      })
      turn = next.catch(() => undefined)
      return next
    },
    async orderNews(afterSequence) {
      const orders = await source.load()
      const last = orders.at(-1)
      const issuedAtMs = clock.now()
      const ageMs = issuedAtMs - (head?.issuedAtMs ?? -Infinity)
      // A clock that was set back makes a head of the future, which nobody accepts.
      if (!head || head.sequence !== orders.length || ageMs >= headEveryMs || ageMs < 0) {
        const facts = { owner, sequence: orders.length, issuedAtMs, nextUpdateMs: issuedAtMs + headEveryMs }
        const hash = last === undefined ? {} : { hash: hashChain([last]) }
        const token = await signOrderHead(signer, { ...facts, ...hash }, await source.statement())
        head = { token, sequence: orders.length, issuedAtMs }
      }
      return { orders: orders.slice(afterSequence), head: head.token }
    },
  }
}
