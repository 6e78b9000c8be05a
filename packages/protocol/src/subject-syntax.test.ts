import { isMeshError } from './mesh-error.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertPattern, assertSubject, patternMatches } from './subject-syntax.ts'

const tokens = fc.array(fc.constantFrom('a', 'b', 'c-1', 'Z_'), { minLength: 1, maxLength: 6 })

/** Returns those of `texts` that `assert` lets through. */
function passing(assert: (text: string) => void, texts: readonly string[]): readonly string[] {
  return texts.filter((text) => {
    try {
      assert(text)
      return true
    } catch (error) {
      if (isMeshError(error) && error.code === 'transport.subject-invalid') return false
      throw error
    }
  })
}

describe('assertSubject', () => {
  it('takes no wildcard, blank, control character or empty token', () => {
    const bad = ['', '.', 'a.', '.a', 'a..b', 'a b', 'a\r\nPUB x', 'a\0', 'a.*', 'a.>', 'a*b', 'x'.repeat(1_025)]
    expect(passing(assertSubject, [...bad, 'a', 'iatp.1.mesh.z6Mk_-9'])).toEqual(['a', 'iatp.1.mesh.z6Mk_-9'])
  })
})

describe('assertPattern', () => {
  it('takes wildcards as whole tokens, and > at the end only', () => {
    const good = ['>', '*', 'a.*.b', 'a.>', '*.>']
    expect(passing(assertPattern, [...good, '', '>.a', 'a>', 'a.b*', '**', 'a..>', 'a.>.b', 'a .>'])).toEqual(good)
  })
})

describe('patternMatches', () => {
  it('matches a subject with itself and with any of its tokens replaced by *', () => {
    fc.assert(
      fc.property(tokens, fc.nat(5), (subject, at) => {
        const starred = subject.map((token, index) => (index === at ? '*' : token))
        expect(patternMatches(subject.join('.'), subject.join('.'))).toBe(true)
        expect(patternMatches(starred.join('.'), subject.join('.'))).toBe(true)
        expect(patternMatches(starred.join('.'), [...subject, 'more'].join('.'))).toBe(false)
      }),
    )
    expect(patternMatches('a.*', 'a')).toBe(false)
  })
  it('lets > stand for one or more tokens, never for none', () => {
    fc.assert(
      fc.property(tokens, tokens, (head, tail) => {
        const pattern = [...head, '>'].join('.')
        expect(patternMatches(pattern, [...head, ...tail].join('.'))).toBe(true)
        expect(patternMatches(pattern, head.join('.'))).toBe(false)
      }),
    )
  })
})
