import { createSlab } from './slab.ts'
import { tierSlack } from './tier.ts'

/** How many names of each owner have which score, as far as it matters where a further name of theirs starts. */
export interface OwnerBook {
  /** Counts a name under the score after, and no more under the one before; undefined where it has no evidence. */
  move(owner: number, before: number | undefined, after: number | undefined): void
  /** Where a name starts that the owner adds: `start`, or the median of its names if that is lower. */
  startOf(owner: number, start: number): number
  /** The counts of an owner, for keeping them. */
  countsOf(owner: number): readonly number[]
  restore(owner: number, counts: readonly number[]): void
}

const bandPoints = 25
/** A start is at most 500: all that is better is one band, and so is what a newcomer's first failure leaves. */
const bands = 500 / bandPoints + 1
const topBar = 500 - tierSlack

/** Creates a book of owners by number, from 0 without gaps. Its median is exact to 25 points. */
export function createOwnerBook(): OwnerBook {
  const slab = createSlab(bands)
  let rows = 0
  const placeOf = (owner: number): [Float64Array, number] => {
    while (rows <= owner) rows = slab.take() + 1
    return [slab.cellsOf(owner), slab.offsetOf(owner)]
  }
  return {
    move(owner, before, after) {
      const left = before === undefined ? -1 : bandOf(before)
      const entered = after === undefined ? -1 : bandOf(after)
      if (left === entered) return
      const [cells, at] = placeOf(owner)
      if (left >= 0) cells[at + left] = Math.max(0, (cells[at + left] ?? 0) - 1)
      if (entered >= 0) cells[at + entered] = (cells[at + entered] ?? 0) + 1
    },
    startOf(owner, start) {
      const [cells, at] = placeOf(owner)
      const counts = cells.subarray(at, at + bands)
      const half = counts.reduce((sum, count) => sum + count, 0) / 2
      let below = 0
      for (let band = 0; band < bands; band++) {
        below += counts[band] ?? 0
        if (half > 0 && below >= half) return Math.min(start, band * bandPoints)
      }
      return start
    },
    countsOf(owner) {
      const [cells, at] = placeOf(owner)
      return [...cells.subarray(at, at + bands)]
    },
    restore(owner, counts) {
      const [cells, at] = placeOf(owner)
      cells.set(counts.slice(0, bands), at)
    },
  }
}

function bandOf(score: number): number {
  return score >= topBar ? bands - 1 : Math.floor(score / bandPoints)
}
