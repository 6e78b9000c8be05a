import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findFrame, readFrames, type SequencedFrame } from './frame-search.ts'

/** Appends of some sizes with some messages of others between them. */
const journals = fc.array(fc.record({ size: fc.integer({ min: 1, max: 4 }), skipped: fc.nat(5) }), {
  minLength: 1,
  maxLength: 300,
})

function layOut(appends: readonly { readonly size: number; readonly skipped: number }[]): readonly SequencedFrame[] {
  let sequence = 0
  let lastPosition = 0
  return appends.map(({ size, skipped }) => {
    sequence += 1 + skipped
    const firstPosition = lastPosition + 1
    lastPosition += size
    return {
      sequence,
      firstPosition,
      lastPosition,
      isFirst: firstPosition === 1,
      entries: Array.from({ length: size }, () => new Uint8Array(0)),
    }
  })
}

describe('findFrame and readFrames', () => {
  it('read exactly the appends from one position to another, in order, whatever lies between', async () => {
    await fc.assert(
      fc.asyncProperty(journals, fc.nat(), fc.nat(), async (appends, from, count) => {
        const frames = layOut(appends)
        const newest = frames.at(-1)
        if (!newest) return
        const first = 1 + (from % newest.lastPosition)
        const last = Math.min(newest.lastPosition, first + count)
        const next = async (at: number): Promise<SequencedFrame | undefined> =>
          frames.find(({ sequence }) => sequence >= at)
        const start = await findFrame(next, newest, first)
        const read = await readFrames(next, start, newest, last)
        expect(read).toEqual(
          frames.filter(({ firstPosition, lastPosition }) => lastPosition >= first && firstPosition <= last),
        )
      }),
    )
  })
  it('finds a position among a million messages in about twenty reads', async () => {
    const frames = layOut(Array.from({ length: 1_000 }, () => ({ size: 1, skipped: 999 })))
    const newest = frames[999] as SequencedFrame
    let reads = 0
    const next = async (at: number): Promise<SequencedFrame | undefined> => {
      reads += 1
      return frames[Math.ceil(at / 1_000) - 1]
    }
    expect((await findFrame(next, newest, 371)).firstPosition).toBe(371)
    expect(reads).toBeLessThanOrEqual(22)
  })
})
