import type { Did, InstanceDid, Verdict } from '@parley/protocol'

/**
 * Brings orders to a node and from it to others.
 *
 * I1 An order is in force here before it is kept or told.
 * I2 Nobody is believed for an order or a head but who signed it; a peer's word only makes this node ask.
 */
export interface OrderFeed {
  /** Puts in force what was kept, then `orders`; what is held already is passed over. Rejects for one that does not hold. */
  load(orders: readonly string[]): Promise<void>
  /** Takes an order of an owner in, keeps it, and tells everybody. Codes as `OrderBook.accept`. */
  accept(token: string): Promise<Verdict>
  /** Resolves when this node has heard what it missed while it was away; undefined if it has. */
  catchingUp(): Promise<void> | undefined
  /** Begins to ask the own issuer, and peers. */
  start(): void
  /** The node is back on the bus. */
  returned(): void
  /** Takes the event of an accepted peer in. */
  receive(topic: string, body: Uint8Array, from: InstanceDid): Verdict
  /** A peer announced how many orders of each owner it holds. */
  heard(from: InstanceDid, owner: Did, sequences: Readonly<Record<string, number>>): void
  /** Owner → sequence of the last order that is held, of those that have any: what the own announcement says. */
  sequences(): Readonly<Record<string, number>>
  stop(): void
}
