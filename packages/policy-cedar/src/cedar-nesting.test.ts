import { checkParsePolicySet, policyToJson, validate } from '@cedar-policy/cedar-wasm/nodejs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findDeepNesting } from './cedar-nesting.ts'
import { schemaFor } from './cedar-schema.ts'

const when = (condition: string): string => `permit (principal, action, resource) when { ${condition} };`

describe('findDeepNesting', () => {
  it('looks neither into texts nor into comments', () => {
    const open = '('.repeat(200)
    expect(findDeepNesting(`// ${open}\n${when(`"${open}\\"${open}" == "x"`)}`)).toBeUndefined()
  })

  it('starts anew with every policy', () => {
    expect(findDeepNesting(when('1 + 1 + 1 + 1 > context.hop.index').repeat(200))).toBeUndefined()
  })

  it('names the place', () => {
    expect(findDeepNesting(`${'('.repeat(26)}`)).toBe(25)
  })

  it('lets nothing through that breaks the library for what follows', () => {
    const wrappers: readonly ((inner: string) => string)[] = [
      (inner) => `(${inner})`,
      (inner) => `[${inner}]`,
      (inner) => `{a: ${inner}}`,
      (inner) => `!(${inner})`,
      (inner) => `-(${inner})`,
      (inner) => `${inner} + 1`,
      (inner) => `(${inner}).a`,
      (inner) => `(${inner}).contains(1)`,
      (inner) => `decimal(${inner})`,
      (inner) => `if ${inner} then 1 else 2`,
      (inner) => `if true then 1 else ${inner}`,
      (inner) => `principal in [${inner}]`,
      (inner) => `(${inner}) == 1`,
      (inner) => `(${inner}) && true`,
    ]
    // Mostly one wrapper again and again: that is what reaches deepest.
    const shape = fc.tuple(
      fc.nat(wrappers.length - 1),
      fc.array(fc.nat(wrappers.length * 6), { minLength: 5, maxLength: 60 }),
    )
    fc.assert(
      fc.property(shape, ([usual, others]) => {
        const text = when(others.reduce((inner, at) => (wrappers[at] ?? wrappers[usual])?.(inner) ?? inner, 'true'))
        if (findDeepNesting(text) !== undefined) return
        if (checkParsePolicySet({ staticPolicies: text }).type === 'failure') return
        expect(policyToJson(text).type).toBe('success')
        expect(validate({ schema: schemaFor([]), policies: { staticPolicies: { text } } }).type).toBe('success')
      }),
      { numRuns: 300 },
    )
    expect(checkParsePolicySet({ staticPolicies: when('true') }).type).toBe('success')
  })
})
