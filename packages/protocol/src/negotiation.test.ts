import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSameChoice, negotiate, type Offer } from './negotiation.ts'

const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { maxLength: 5 })
const offers: fc.Arbitrary<Offer> = fc.record({ versions: numbers, suites: numbers })

describe('negotiate', () => {
  it('takes the highest version and suite of both', () => {
    const own = { versions: [1, 2], suites: [1, 3, 2] }
    expect(negotiate(own, { versions: [2, 1, 9], suites: [2, 1] })).toEqual({
      kind: 'allow',
      choice: { version: 2, suite: 2 },
    })
  })

  it('refuses where nothing is common, versions first', () => {
    const own = { versions: [1], suites: [1] }
    expect(negotiate(own, { versions: [], suites: [] })).toMatchObject({ code: 'iatp.version-unsupported' })
    expect(negotiate(own, { versions: [2], suites: [1] })).toMatchObject({ code: 'iatp.version-unsupported' })
    expect(negotiate(own, { versions: [1], suites: [2] })).toMatchObject({ code: 'iatp.suite-unsupported' })
    expect(negotiate(own, {})).toMatchObject({ code: 'iatp.version-unsupported' })
  })

  it('is the same from both sides, in both lists, and no worse than anything common', () => {
    fc.assert(
      fc.property(offers, offers, (left, right) => {
        const [from, to] = [negotiate(left, right), negotiate(right, left)]
        expect(from).toEqual(to)
        if (from.kind === 'deny') return
        const common = left.suites.filter((suite) => right.suites.includes(suite))
        expect(common).toContain(from.choice.suite)
        expect(common.every((suite) => suite <= from.choice.suite)).toBe(true)
      }),
    )
  })
})

describe('isSameChoice', () => {
  it.each([
    [{ version: 1, suite: 2 }, true],
    [{ version: 1, suite: 1 }, false],
    [{ version: 2, suite: 2 }, false],
    [{ version: 1 }, false],
    [{}, false],
  ])('holds %j against what the lists say', (told, isSame) => {
    expect(isSameChoice({ version: 1, suite: 2 }, told)).toBe(isSame)
  })
})
