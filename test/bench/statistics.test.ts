import { describe, expect, it } from 'vitest'
import { percentileOf, spreadOf } from './statistics.ts'

describe('spreadOf', () => {
  it('gives median, minimum and maximum in any order', () => {
    expect(spreadOf([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5 })
    expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 })
    expect(spreadOf([])).toEqual({ median: 0, min: 0, max: 0 })
  })
})

describe('percentileOf', () => {
  it('reads the value below which the share lies', () => {
    const values = Array.from({ length: 100 }, (_, at) => at + 1)
    expect([0, 0.5, 0.99, 1].map((share) => percentileOf(values, share))).toEqual([1, 51, 100, 100])
    expect(percentileOf([], 0.5)).toBe(0)
  })
})
