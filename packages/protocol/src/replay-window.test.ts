import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from './limits.ts'
import { createReplayWindow, type ReplayWindow } from './replay-window.ts'

/** The same promise, kept by remembering everything. */
function createNaiveWindow(size: number): ReplayWindow {
  const seen = new Set<number>()
  let highest = 0
  return {
    accept(counter) {
      if (counter < 1 || counter <= highest - size || seen.has(counter)) return false
      seen.add(counter)
      highest = Math.max(highest, counter)
      return true
    },
  }
}

describe('createReplayWindow', () => {
  it.each([1, 31, 32, 33, 64, 100, 4096])('with %i places decides as one that remembers everything', (size) => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: -5, max: 5 }) },
      { weight: 3, arbitrary: fc.integer({ min: -2 * size, max: 2 * size }) },
      { weight: 1, arbitrary: fc.constantFrom(size - 1, size, size + 1, 1 - size, -size, 2 * size) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const [window, naive] = [createReplayWindow(size), createNaiveWindow(size)]
        let counter = 1
        for (const delta of steps) {
          counter = Math.max(0, counter + delta)
          expect(window.accept(counter), `counter ${String(counter)}`).toBe(naive.accept(counter))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('accepts each counter once, in any order within the window', () => {
    const window = createReplayWindow()
    expect([2, 1, 3, 2, 1, 3].map((counter) => window.accept(counter))).toEqual([true, true, true, false, false, false])
  })

  it('refuses what is older than the window, also when it never came', () => {
    const window = createReplayWindow()
    expect(window.accept(limits.replayWindow + 1)).toBe(true)
    expect(window.accept(1)).toBe(false)
    expect(window.accept(2)).toBe(true)
  })

  it('survives the largest jump (T52)', () => {
    const window = createReplayWindow()
    expect(window.accept(Number.MAX_SAFE_INTEGER)).toBe(true)
    expect(window.accept(Number.MAX_SAFE_INTEGER)).toBe(false)
    expect(window.accept(Number.MAX_SAFE_INTEGER - 1)).toBe(true)
    expect(window.accept(1)).toBe(false)
  })

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER + 1])(
    'refuses %d, which is no counter',
    (counter) => {
      expect(createReplayWindow().accept(counter)).toBe(false)
    },
  )

  it.each([0, -1, 1.5, Number.NaN])('cannot hold %d counters', (size) => {
    expect(() => createReplayWindow(size)).toThrow(RangeError)
  })
})
