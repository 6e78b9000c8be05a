import { join } from 'node:path'
import { createAnchors, createOrderBook, readOrders, type IssuerFolder, type Pin } from '@parley/identity'
import type { Random } from '@parley/ports'
import { readAnchors } from './read-anchor.ts'

/** Returns the pin of a name that the orders in an issuer's folder have in force now, if there is one. */
export async function findOrderedPin(
  folder: IssuerFolder & { readonly random: Random },
  name: string,
): Promise<Pin | undefined> {
  const anchors = createAnchors(await readAnchors([join(folder.dir, 'anchor.json')]))
  const book = createOrderBook({ anchors })
  const nowMs = folder.clock.now()
  // Whether they hold was asked when they were read.
  for (const order of await readOrders(folder)) book.accept(order, nowMs)
  return book.pins(nowMs).find(({ agent }) => agent.name === name)
}
