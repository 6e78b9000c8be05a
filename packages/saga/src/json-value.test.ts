import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copyJson, findJsonProblem } from './json-value.ts'

describe('copyJson', () => {
  it('makes of every value without a problem what JSON makes of it', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withSparseArray: true }), (value) => {
        if (value === undefined || findJsonProblem(value) !== undefined) return
        expect(copyJson(value)).toStrictEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('shares nothing with the value, and inherits nothing from it', () => {
    const value = JSON.parse('{"deep":[{"on":1}],"__proto__":{"isAdmin":true}}') as { deep: { on: number }[] }
    const copy = copyJson(value) as typeof value
    value.deep.push({ on: 2 })
    expect(copy.deep).toEqual([{ on: 1 }])
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
    expect(Object.keys(copy)).toEqual(['deep', '__proto__'])
  })
})
