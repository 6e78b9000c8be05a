import { describe, expect, it } from 'vitest'
import { createSystemRandom } from './system-random.ts'

describe('createSystemRandom', () => {
  it('gives as many bytes as asked, never the same', () => {
    const random = createSystemRandom()
    expect(random.bytes(16)).toHaveLength(16)
    expect(random.bytes(16)).not.toEqual(random.bytes(16))
  })

  it('gives numbers in [0, 1)', () => {
    const random = createSystemRandom()
    const floats = Array.from({ length: 1_000 }, () => random.float())
    expect(floats.every((value) => value >= 0 && value < 1)).toBe(true)
  })
})
