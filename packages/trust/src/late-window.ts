import type { FoldItem, PeerBook } from './peer-book.ts'
import { comparePlaces, type PeerPage } from './peer-page.ts'

/** How late evidence may come: what is older is refused, since it could not be folded again in its place. */
export const maxLateMs = 300_000

/** A piece of evidence that may yet be folded again. */
export interface LateItem extends FoldItem {
  /** Where its rater let the peer start. */
  readonly start: number | undefined
}

/**
 * Folds evidence in the order of its places, whatever the order in which it comes.
 *
 * I1 Evidence is settled once everything that could come before it has come; what comes later folds from there again.
 * I2 At most `maxItems` pieces stay unsettled: where more come, all are settled, and what comes before them is too late.
 */
export interface LateWindow {
  /**
   * Folds items of one peer in their places, which ascend, and returns how many were taken: the others were too late, or there
   * already. However many there are, what comes after the first of them is folded again once.
   */
  take(peer: string, items: readonly LateItem[], arrivedAtMs: number): number
  /** Settles evidence from before a time, as far as it is worth the work. */
  settle(beforeMs: number): void
  /** The time of the oldest evidence that is not settled; infinite if there is none. */
  oldestMs(): number
  /** Returns what is settled of a peer; undefined if all of it is. */
  baseOf(peer: string): { readonly page: PeerPage | undefined } | undefined
}

const defaultMaxItems = 65_536
const settleEvery = 4_096
/** Late evidence mostly is a little late: a page every so many items saves folding the whole window again. */
const itemsPerMark = 128

/** What a peer's page was after some of its items. */
interface Mark {
  readonly count: number
  readonly page: PeerPage | undefined
}

interface Unsettled {
  /** The first is what is settled: its count is 0. */
  marks: Mark[]
  items: LateItem[]
}

/** Creates a window over a book. `startOf` tells where a peer starts of whom no rater says so. */
export function createLateWindow(
  book: PeerBook,
  startOf: (peer: string) => number,
  maxItems: number = defaultMaxItems,
): LateWindow {
  const unsettled = new Map<string, Unsettled>()
  let settledBeforeMs = Number.NEGATIVE_INFINITY
  let count = 0
  let sinceSettled = 0

  const open = (peer: string): Unsettled => {
    const handle = book.find(peer)
    // Who was only looked at starts where the evidence says.
    const isKnown = handle !== undefined && !book.isFresh(handle)
    if (handle !== undefined && !isKnown) book.remove(peer)
    const opened = { marks: [{ count: 0, page: isKnown ? book.page(peer, handle) : undefined }], items: [] }
    unsettled.set(peer, opened)
    return opened
  }
  const foldFrom = (peer: string, { items, marks }: Unsettled, from: number): void => {
    for (let at = from; at < items.length; at++) {
      const item = items[at]
      if (item === undefined) return
      const handle = book.find(peer) ?? book.add(peer, firstStart(peer, items), item.atMs)
      book.fold(peer, handle, item)
      if ((at + 1) % itemsPerMark === 0) marks.push({ count: at + 1, page: book.page(peer, handle) })
    }
  }
  const firstStart = (peer: string, items: readonly LateItem[]): number =>
    items.find(({ start }) => start !== undefined)?.start ?? startOf(peer)
  const settlePeer = (peer: string, known: Unsettled): void => {
    const split = known.items.findIndex(({ atMs }) => atMs >= settledBeforeMs)
    if (split < 0) {
      count -= known.items.length
      unsettled.delete(peer)
      return
    }
    const base = known.marks.findLast((mark) => mark.count <= split)
    if (base === undefined || base.count === 0) return
    count -= base.count
    known.items = known.items.slice(base.count)
    known.marks = known.marks
      .filter((mark) => mark.count >= base.count)
      .map(({ count: after, page }) => ({ count: after - base.count, page }))
  }
  const settle = (beforeMs: number): void => {
    if (beforeMs <= settledBeforeMs) return
    settledBeforeMs = beforeMs
    sinceSettled = 0
    for (const [peer, known] of unsettled) settlePeer(peer, known)
  }
  return {
    take(peer, items, arrivedAtMs) {
      const timely = items.filter(({ atMs }) => atMs >= settledBeforeMs)
      if (timely.length === 0) return 0
      const known = unsettled.get(peer) ?? open(peer)
      const settled = known.marks[0]?.page
      const placed = settled ? timely.filter((item) => comparePlaces(item, settled.folded) > 0) : timely
      const [first] = placed
      if (first === undefined) return 0
      const place = known.items.findLastIndex((other) => comparePlaces(other, first) < 0) + 1
      const later = known.items.splice(place)
      const merged = mergePlaces(later, placed)
      for (const item of merged) known.items.push(item)
      const taken = merged.length - later.length
      count += taken
      if (taken === 0) return 0
      if (later.length === 0) foldFrom(peer, known, place)
      else {
        known.marks = known.marks.filter((mark) => mark.count <= place)
        const mark = known.marks.at(-1)
        book.rewind(peer, mark?.page)
        foldFrom(peer, known, mark?.count ?? 0)
      }
      sinceSettled += taken
      if (count > maxItems) settle(newest(unsettled) + 1)
      else if (sinceSettled >= settleEvery) settle(arrivedAtMs - maxLateMs)
      return taken
    },
    settle,
    oldestMs() {
      let oldest = Number.POSITIVE_INFINITY
      for (const { items } of unsettled.values()) oldest = Math.min(oldest, items[0]?.atMs ?? oldest)
      return oldest
    },
    baseOf(peer) {
      const known = unsettled.get(peer)
      return known && { page: known.marks[0]?.page }
    },
  }
}

/** Joins two lists whose places ascend; of the second, what has a place of the first is left out. */
function mergePlaces(known: readonly LateItem[], items: readonly LateItem[]): readonly LateItem[] {
  const merged: LateItem[] = []
  let at = 0
  for (const item of items) {
    for (let next = known[at]; next !== undefined && comparePlaces(next, item) < 0; next = known[++at])
      merged.push(next)
    const [same, last] = [known[at], merged.at(-1)]
    if (same && comparePlaces(same, item) === 0) continue
    if (last && comparePlaces(last, item) === 0) continue
    merged.push(item)
  }
  for (let next = known[at]; next !== undefined; next = known[++at]) merged.push(next)
  return merged
}

function newest(unsettled: ReadonlyMap<string, Unsettled>): number {
  let newestMs = Number.NEGATIVE_INFINITY
  for (const { items } of unsettled.values()) newestMs = Math.max(newestMs, items.at(-1)?.atMs ?? newestMs)
  return newestMs
}
