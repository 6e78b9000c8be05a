import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConditionFault } from './condition-token.ts'
import type { ConditionTree } from './condition-tree.ts'
import { maxConditionLength, parseCondition } from './parse-condition.ts'

function faultOf(text: string): { offset: number; message: string } | undefined {
  try {
    parseCondition(text)
    return undefined
  } catch (error) {
    if (!(error instanceof ConditionFault)) throw error
    return { offset: error.offset, message: error.message }
  }
}

/** Writes a tree with all its parentheses. */
function show(tree: ConditionTree): string {
  switch (tree.kind) {
    case 'comparison':
      return tree.path
    case 'not':
      return `not(${show(tree.part)})`
    case 'and':
    case 'or':
      return `(${tree.parts.map(show).join(` ${tree.kind} `)})`
  }
}

describe('parseCondition', () => {
  it.each([
    ['a or b and c', '(a or (b and c))'],
    ['a and b or c', '((a and b) or c)'],
    ['(a or b) and c', '((a or b) and c)'],
    ['not a and b', '(not(a) and b)'],
    ['not (a or b)', 'not((a or b))'],
    ['not not a', 'not(not(a))'],
    ['a and not b', '(a and not(b))'],
    ["a == 'x and y' and b", '(a and b)'],
    ['a == "x or (y" or b', '(a or b)'],
    ["a not in ['not in [1]', 'or'] or b", '(a or b)'],
    ['nota and order', '(nota and order)'],
  ])('reads %s as %s', (text, shown) => {
    expect(show(parseCondition(text))).toBe(shown)
  })

  it('keeps what stands between quotes letter by letter', () => {
    expect(parseCondition(`title == "it's (not) and or"`)).toMatchObject({ literals: [{ value: "it's (not) and or" }] })
  })

  it('reads numbers, negative ones and fractions, true and false', () => {
    expect(parseCondition('a in [1, -2.5, true, false]')).toMatchObject({
      literals: [{ value: 1 }, { value: -2.5 }, { value: true }, { value: false }],
    })
  })

  it.each([
    ['', 0, 'the end'],
    ['a ==', 4, 'the end'],
    ["a == 'x", 5, 'no closing'],
    ['a == b', 5, 'not in quotes'],
    ['a && b', 2, 'write and'],
    ['a || b', 2, 'write or'],
    ['!a', 0, 'write not'],
    ['a = 1', 2, 'write =='],
    ['a AND b', 2, 'write and'],
    ["a matches '.*'", 2, 'run away'],
    ["a contains 'x'", 2, 'contains'],
    ['a b', 2, 'and, or, or the end'],
    ['(a', 2, 'closing'],
    ['a)', 1, 'and, or, or the end'],
    ['a in 5', 5, 'a list'],
    ['a in []', 5, 'empty'],
    ["a in ['x' 'y']", 10, ', or ]'],
    ['and a', 0, 'a name'],
    ['a and', 5, 'a name'],
    ['f(a)', 1, 'and, or, or the end'],
    ['a == 1.2.3', 5, 'unexpected'],
    ['a > 5%', 5, 'unexpected'],
    ['a.b. == 1', 3, 'unexpected'],
  ])('refuses %j at %i', (text, offset, message) => {
    const fault = faultOf(text)
    expect(fault?.offset).toBe(offset)
    expect(fault?.message).toContain(message)
  })

  it('refuses what is nested deeper than 20, at once', () => {
    expect(faultOf(`${'('.repeat(21)}a${')'.repeat(21)}`)?.message).toContain('deeper than 20')
    expect(faultOf(`${'not '.repeat(400)}a`)?.message).toContain('deeper than 20')
    expect(faultOf('('.repeat(maxConditionLength))?.message).toContain('deeper than 20')
  })

  it('refuses what is longer than the toolkit takes', () => {
    expect(faultOf('a'.repeat(maxConditionLength + 1))?.message).toContain('longer than 2000')
  })

  it('answers any text with a tree or a fault inside of it', () => {
    const parts = fc.constantFrom(
      'a.b',
      'and',
      'or',
      'not',
      'in',
      '(',
      ')',
      '[',
      ']',
      ',',
      '==',
      '<',
      "'x or y'",
      '"',
      '7',
      '.',
      '!',
    )
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 40 }), (words) => {
        const text = words.join(' ')
        const fault = faultOf(text)
        expect(fault === undefined || (fault.offset >= 0 && fault.offset <= text.length)).toBe(true)
      }),
    )
  })
})
