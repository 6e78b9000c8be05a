import type { EntryFrame } from './entry-frame.ts'

/** An append with its place in the broker's stream and in the journal. */
export interface SequencedFrame extends EntryFrame {
  readonly sequence: number
  readonly lastPosition: number
}

/** Reads the first append of a subject at or after a sequence. */
export type NextFrame = (fromSequence: number) => Promise<SequencedFrame | undefined>

/** A stretch of more entries than this is read in several parts at once. */
const entriesPerPart = 32
const maxParts = 16

/**
 * Finds the append that holds a position, or the first one after a gap. Sequences and positions grow together, so the
 * place is halved until it is found: 20 reads in a stream of a million messages.
 */
export async function findFrame(next: NextFrame, newest: SequencedFrame, position: number): Promise<SequencedFrame> {
  if (newest.firstPosition <= position) return newest
  let low = (await next(1)) ?? newest
  let high = newest
  // Nothing of the subject lies between `gapFrom` and `high`.
  let gapFrom = high.sequence
  while (low.lastPosition < position && low.sequence + 1 < gapFrom) {
    const middle = Math.floor((low.sequence + gapFrom) / 2)
    const found = await next(middle)
    if (!found || found.sequence >= high.sequence) gapFrom = middle
    else if (found.firstPosition <= position) low = found
    else {
      high = found
      gapFrom = middle
    }
  }
  return low.lastPosition >= position ? low : high
}

/** Reads the appends from `start` up to the one that holds `last`, in order. */
export async function readFrames(
  next: NextFrame,
  start: SequencedFrame,
  newest: SequencedFrame,
  last: number,
): Promise<readonly SequencedFrame[]> {
  const toEnd = last === newest.lastPosition
  const missing = last - start.lastPosition
  if (missing <= 0) return [start]
  if (!toEnd || missing <= entriesPerPart) return [start, ...(await walk(next, start.sequence + 1, newest, last))]
  const from = start.sequence + 1
  const parts = Math.min(maxParts, Math.ceil(missing / entriesPerPart))
  const width = Math.ceil((newest.sequence - from) / parts)
  const ranges = Array.from({ length: parts }, (_, part) => ({
    from: from + part * width,
    until: Math.min(newest.sequence, from + (part + 1) * width),
  }))
  const read = await Promise.all(ranges.map((range) => walk(next, range.from, newest, last, range.until)))
  return [start, ...read.flat(), newest]
}

async function walk(
  next: NextFrame,
  from: number,
  newest: SequencedFrame,
  last: number,
  until: number = newest.sequence + 1,
): Promise<readonly SequencedFrame[]> {
  const frames: SequencedFrame[] = []
  for (let at = from; at < until;) {
    const found = at === newest.sequence ? newest : await next(at)
    if (!found || found.sequence >= until) break
    frames.push(found)
    if (found.lastPosition >= last) break
    at = found.sequence + 1
  }
  return frames
}
