import type { Argument, Expression } from 'oxc-parser'
import { describe, expect, it } from 'vitest'
import { renderErrorCodes, renderErrorPage, type ErrorList } from '../../protocol/render-errors.ts'
import { formatPlace, parseSource, readSource, visit, type ParsedSource } from './parsed-source.ts'
import { listSources, readText } from './source-tree.ts'

const list = JSON.parse(readText('protocol/errors.json')) as ErrorList
const codes = new Set(Object.keys(list.codes))
const shape = /^[a-z]+(?:-[a-z]+)*\.[a-z0-9]+(?:-[a-z0-9]+)*$/
const sources = listSources().filter(
  (path) => path.startsWith('packages/') && !path.endsWith('.test.ts') && !path.endsWith('/error-codes.ts'),
)

interface CodeSite {
  readonly code: string
  readonly place: string
}

/** Lists the codes where a refusal or a failure is made: `new MeshError(…)`, `refuse(…)`, `hop.refuse(…)`, `{ code: … }`. */
function listThrownCodes(source: ParsedSource): readonly CodeSite[] {
  const sites: CodeSite[] = []
  const note = (node: Expression | Argument | undefined): void => {
    if (node?.type === 'ConditionalExpression') {
      note(node.consequent)
      note(node.alternate)
    } else if (node?.type === 'Literal' && typeof node.value === 'string' && shape.test(node.value))
      sites.push({ code: node.value, place: formatPlace(source, node.start) })
  }
  visit(source.program, {
    NewExpression({ callee, arguments: values }) {
      if (callee.type === 'Identifier' && callee.name.endsWith('Error')) note(values[0])
    },
    CallExpression({ callee, arguments: values }) {
      const name =
        callee.type === 'Identifier'
          ? callee.name
          : callee.type === 'MemberExpression' && callee.property.type === 'Identifier'
            ? callee.property.name
            : ''
      if (name === 'refuse' || name === 'super') note(values[0])
      if (callee.type === 'Super') note(values[0])
    },
    Property({ key, value }) {
      if (key.type === 'Identifier' && key.name === 'code' && isExpression(value)) note(value)
    },
  })
  return sites
}

function isExpression(node: { readonly type: string }): node is Expression {
  return node.type === 'Literal' || node.type === 'ConditionalExpression'
}

/** Lists every text of a file that is a code, wherever it stands: tables and local functions pass codes on, too. */
function listMentionedCodes(source: ParsedSource): readonly string[] {
  const found: string[] = []
  visit(source.program, {
    Literal({ value }) {
      if (typeof value === 'string' && codes.has(value)) found.push(value)
    },
  })
  return found
}

describe('error codes', () => {
  it('have the shape family.what-is-wrong and stand in order', () => {
    const keys = Object.keys(list.codes)
    expect(keys.filter((code) => !shape.test(code))).toEqual([])
    expect(keys).toEqual(keys.toSorted())
  })

  it('say what they mean and what to do, in sentences', () => {
    const wrong = Object.entries(list.codes).filter(
      ([, { meaning, todo }]) => !/^\S.*\.$/.test(meaning) || !/^\S.*\.$/.test(todo),
    )
    expect(wrong.map(([code]) => code)).toEqual([])
  })

  it('are the same in the protocol package and on the page', () => {
    expect(readText('packages/protocol/src/error-codes.ts')).toBe(renderErrorCodes(list))
    expect(readText('docs/errors.md')).toBe(renderErrorPage(list))
  })

  it('that are used are listed', () => {
    const unknown = sources.flatMap((path) => listThrownCodes(readSource(path)).filter(({ code }) => !codes.has(code)))
    expect(unknown).toEqual([])
  })

  it('that are listed are used', () => {
    const used = new Set(sources.flatMap((path) => listMentionedCodes(readSource(path))))
    expect([...codes].filter((code) => !used.has(code))).toEqual([])
  })
})

describe('listThrownCodes', () => {
  it.each([
    "throw new MeshError('made.up', 'text')",
    "return refuse('made.up', 'text')",
    "return hop.refuse('made.up')",
    "return { kind: 'deny', code: 'made.up' }",
    "return refuse(late ? 'made.up' : 'x', 'text')",
  ])('finds the code of %s', (text) => {
    const source = parseSource('sample.ts', `function f() { ${text} }`)
    expect(listThrownCodes(source).map(({ code }) => code)).toEqual(['made.up'])
  })

  it('leaves other texts alone', () => {
    const source = parseSource('sample.ts', "open('audit.log'); f({ file: 'policy.yaml' })")
    expect(listThrownCodes(source)).toEqual([])
  })
})
