import type { Hash } from '@parley/ports'

/** What both sides of a stream must agree on at its end. */
export interface PartTally {
  readonly count: number
  /**
   * base64url of the running hash: 32 zero bytes at first, then SHA-256(hash ‖ leaf) for each part. Two sides with the
   * same one saw the same parts in the same order.
   */
  readonly hash: string
}

/** Counts parts as they are sent or taken. */
export interface PartCounter {
  /** Adds the part with this leaf (base64url). */
  add(leaf: string): void
  count(): number
  tally(): PartTally
}

/** Creates a counter that has seen nothing. */
export function createPartCounter(hash: Hash): PartCounter {
  let count = 0
  let running: Uint8Array = new Uint8Array(32)
  return {
    add(leaf) {
      count += 1
      running = hash(running, Buffer.from(leaf, 'base64url'))
    },
    count: () => count,
    tally: () => ({ count, hash: Buffer.from(running).toString('base64url') }),
  }
}
