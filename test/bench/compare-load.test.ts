import { describe, expect, it } from 'vitest'
import { compareLoad } from './compare-load.ts'
import type { Contestant } from './contestant.ts'
import { measureLoad } from './measure-load.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function contestantOf(name: string, turns: number, seen: string[]): Contestant {
  return {
    name,
    measure(inFlight, durationMs) {
      if (seen.at(-1) !== name) seen.push(name)
      const work = async (): Promise<void> => {
        for (let at = 0; at < turns; at++) await turn()
      }
      return measureLoad(work, inFlight, durationMs)
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

describe('compareLoad', () => {
  it('interleaves the rounds and compares the first to the others', async () => {
    const seen: string[] = []
    const slow = contestantOf('slow', 8, seen)
    const fast = contestantOf('fast', 1, seen)
    const rows = await compareLoad([slow, fast], [1, 4], { rounds: 3, roundMs: 10, log: () => undefined })
    expect(rows.map(({ contestant, inFlight }) => `${String(contestant)} ${String(inFlight)}`)).toEqual([
      'slow 1',
      'fast 1',
      'slow 4',
      'fast 4',
    ])
    expect(rows[0]?.['ratio to fast']).toBeLessThan(1)
    expect(rows[0]?.['p50 ratio to fast']).toBeGreaterThan(1)
    expect(rows[1]).not.toHaveProperty('ratio to fast')
    expect(seen.slice(0, 6)).toEqual(['slow', 'fast', 'slow', 'fast', 'slow', 'fast'])
  })

  it('stops when a contestant does nothing at all', async () => {
    const broken: Contestant = {
      name: 'broken',
      measure: (inFlight, durationMs) =>
        measureLoad(() => turn().then(() => Promise.reject(new Error('no'))), inFlight, durationMs),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
    await expect(compareLoad([broken], [1], { rounds: 1, roundMs: 5, log: () => undefined })).rejects.toThrow(
      'broken did nothing',
    )
  })
})
