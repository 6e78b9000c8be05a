import { createSlab, type Slab } from './slab.ts'

/** How many changes of a peer's score are kept in memory for explaining it, a power of two; the stream has them all. */
const keptMovements = 8

/** One change of a peer's overall score. */
export interface Movement {
  readonly atMs: number
  /** The rater's own count of its evidence. */
  readonly seq: number
  readonly before: number
  readonly after: number
  /** Kind of sight. */
  readonly kind: number
  /** The faults in a row that made it an incident; 0 if it was none. */
  readonly faults: number
  /** Number of the capability's name; -1 if there was no room for it. */
  readonly capability: number
  /** Number of the rater's name. */
  readonly rater: number
}

/** The last movements of peers, a row each, packed into four numbers. */
export interface MovementSlab extends Pick<Slab, 'take' | 'give'> {
  /** Puts a movement into a row, which had `count` of them before; see `packChange` and `packNames`. */
  push(row: number, count: number, atMs: number, seq: number, change: number, names: number): void
  /** Lists the movements of a row that had `count` of them so far, oldest first. */
  list(row: number, count: number): readonly Movement[]
}

const width = 4
const placeMask = keptMovements - 1
const maxFaults = 1023

/** Packs from which score to which, by what. */
export function packChange(before: number, after: number, kind: number, faults: number): number {
  return ((before * 1024 + after) * 64 + kind) * 1024 + Math.min(faults, maxFaults)
}

/** Packs for which capability, by whom. */
export function packNames(capability: number, rater: number): number {
  return (capability + 1) * 1_048_576 + rater
}

/** Creates the memory of movements. */
export function createMovementSlab(): MovementSlab {
  const slab = createSlab(keptMovements * width)
  return {
    take: slab.take,
    give: slab.give,
    push(row, count, atMs, seq, change, names) {
      const cells = slab.cellsOf(row)
      const at = slab.offsetOf(row) + (count & placeMask) * width
      cells[at] = atMs
      cells[at + 1] = seq
      cells[at + 2] = change
      cells[at + 3] = names
    },
    list(row, count) {
      const cells = slab.cellsOf(row)
      const first = Math.max(0, count - keptMovements)
      return Array.from({ length: count - first }, (_, index) => {
        const at = slab.offsetOf(row) + ((first + index) & placeMask) * width
        const told = cells[at + 2] ?? 0
        const named = cells[at + 3] ?? 0
        const scores = Math.floor(told / 65_536)
        return {
          atMs: cells[at] ?? 0,
          seq: cells[at + 1] ?? 0,
          before: Math.floor(scores / 1024),
          after: scores % 1024,
          kind: Math.floor(told / 1024) % 64,
          faults: told % 1024,
          capability: Math.floor(named / 1_048_576) - 1,
          rater: named % 1_048_576,
        }
      })
    },
  }
}
