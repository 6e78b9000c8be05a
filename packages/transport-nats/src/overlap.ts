import { createHash } from 'node:crypto'

/**
 * Tells what came over both of two connections, so that it is handed over once. Whatever is published while both listen
 * comes once over each; the bytes and the subject decide that two are the same.
 */
export interface Overlap {
  /** Tells whether this unit, which came over `side`, was not yet seen on the other side. */
  admits(side: object, subject: string, data: Uint8Array): boolean
}

/** Creates an overlap of `leaving` with one other connection. It remembers everything that it saw, so it is used for the moment of a change only. */
export function createOverlap(leaving: object): Overlap {
  /** How many more of these came over the leaving side. */
  const lead = new Map<string, number>()
  return {
    admits(side, subject, data) {
      const key = createHash('sha256').update(subject).update('\n').update(data).digest('base64')
      const ahead = lead.get(key) ?? 0
      lead.set(key, ahead + (side === leaving ? 1 : -1))
      return side === leaving ? ahead >= 0 : ahead <= 0
    },
  }
}
