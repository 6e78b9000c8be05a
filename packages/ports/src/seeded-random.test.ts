import { describe, expect, it } from 'vitest'
import { createSeededRandom } from './seeded-random.ts'

describe('createSeededRandom', () => {
  it('repeats itself for a seed and differs for another', () => {
    const draw = (seed: number): readonly unknown[] => {
      const random = createSeededRandom(seed)
      return [random.bytes(16), random.float(), random.bytes(3)]
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })

  it('gives numbers in [0, 1) that spread, and as many bytes as asked', () => {
    const random = createSeededRandom(1)
    const floats = Array.from({ length: 10_000 }, () => random.float())
    expect(floats.every((value) => value >= 0 && value < 1)).toBe(true)
    expect(floats.reduce((sum, value) => sum + value, 0) / floats.length).toBeCloseTo(0.5, 1)
    expect(new Set(random.bytes(4096)).size).toBe(256)
    expect(random.bytes(0)).toHaveLength(0)
  })
})
