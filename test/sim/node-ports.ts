import { createKeySigner, createNkey, generateSeed, type LocalIssuer } from '@parley/identity'
import type { NodeOptions } from '@parley/mesh'
import type { Store } from '@parley/ports'
import type { SimProcess } from '@parley/testkit'
import type { GivenOrder } from './sim-facts.ts'

/** Makes the ports of one life of a node. */
export type NodePorts = (
  process: SimProcess,
  store: Store,
) => Pick<
  NodeOptions,
  'issuer' | 'keys' | 'clock' | 'random' | 'store' | 'transport' | 'logger' | 'heartbeatMs' | 'onRecord'
>

/** Seldom enough for runs of minutes; who is missed is asked for. */
const heartbeatMs = 10_000
const issuerMs = 5
/** There is no broker to log in to. */
const unused = createNkey('U', new Uint8Array(32))

/** Makes ports whose every answer is a turn of the simulation. `learned` hears when a life has taken an order in. */
export function createNodePorts(
  issuer: LocalIssuer,
  given: readonly GivenOrder[],
  learned: (life: string, order: GivenOrder) => void,
): NodePorts {
  let told: { readonly news: ReturnType<LocalIssuer['orderNews']>; readonly orders: number } | undefined
  /** The owner's last word, signed again only when there is a new one: no anchor here asks for it to be fresh. */
  const tell = (after: number): ReturnType<LocalIssuer['orderNews']> => {
    if (told?.orders !== given.length) told = { news: issuer.orderNews(0), orders: given.length }
    return told.news.then(({ orders, head }) => ({ orders: orders.slice(after), head }))
  }
  return (process, store) => ({
    // A broker's key costs more than everything else that a node does at its start, and there is no broker.
    keys: { signer: createKeySigner(generateSeed(process.random)), nkey: unused },
    issuer: {
      anchor: issuer.anchor,
      issue: async (request) => {
        const asked = await process.wait(process.random.float() * issuerMs, () => issuer.issue(request))
        return asked
      },
      orderNews: async (after) => {
        const news = await process.wait(process.random.float() * issuerMs, () => tell(after))
        return news
      },
    },
    clock: process.clock,
    random: process.random,
    transport: process.transport,
    store,
    heartbeatMs,
    logger: {
      debug: () => undefined,
      info: () => undefined,
      warn: (code, fields) => process.note(`warns ${code} ${JSON.stringify(fields ?? {})}`),
      error: (code, fields) => process.note(`errs ${code} ${JSON.stringify(fields ?? {})}`),
    },
    onRecord(record) {
      if (record.kind !== 'order' || typeof record['sequence'] !== 'number') return
      const order = given[record['sequence'] - 1]
      if (order) learned(process.id, order)
      process.note(`takes the order ${String(record['sequence'])} in`)
    },
  })
}
