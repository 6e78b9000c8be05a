import type { Clock, Logger, Store } from '@parley/ports'
import { isMeshError, MeshError } from '@parley/protocol'
import type { OrderBook } from '@parley/identity'

/** Keeps what a node knows of orders beyond its own life. */
export interface OrderStore {
  /** Puts what was kept into a book. Rejects with `store.corrupt` if it does not hold together. */
  load(owners: readonly string[], book: OrderBook): Promise<void>
  /** Keeps an order that the book holds. Resolves when it is durable. */
  keep(owner: string, sequence: number, token: string): Promise<void>
  keepHead(owner: string, token: string): Promise<void>
}

/** Creates the memory of one mesh in a store: a stream for each owner, whose positions are the sequences of its orders. */
export function createOrderStore(store: Store, mesh: string, clock: Clock, logger: Logger): OrderStore {
  const streamOf = (owner: string): string => `orders/${mesh}/${owner}`
  const headOf = (owner: string): string => `order-head/${mesh}/${owner}`
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = (work: () => Promise<unknown>): Promise<void> => {
    const next = turn.then(work).then(() => undefined)
    turn = next.catch(() => undefined)
    return next
  }
  return {
    async load(owners, book) {
      for (const owner of owners) {
        for (const { position, data } of await store.journal.read(streamOf(owner))) {
          const verdict = book.accept(new TextDecoder().decode(data), clock.now())
          if (verdict.kind === 'deny')
            throw new MeshError(
              'store.corrupt',
              `order ${String(position)} of ${owner} does not hold: ${verdict.reason}`,
            )
        }
        const head = await store.keyValue.get(headOf(owner))
        // One that shows orders which are not there is the point: the store was rolled back, and the book waits for them.
        if (head) book.acceptHead(new TextDecoder().decode(head.value), clock.now())
      }
    },
    keep: (owner, sequence, token) =>
      inTurn(async () => {
        try {
          await store.journal.append(streamOf(owner), sequence - 1, [new TextEncoder().encode(token)])
        } catch (error) {
          if (!isMeshError(error) || error.code !== 'store.position-conflict') throw error
          logger.debug('identity.order-kept-before', { owner, sequence })
        }
      }),
    keepHead: (owner, token) => inTurn(() => store.keyValue.put(headOf(owner), new TextEncoder().encode(token))),
  }
}
