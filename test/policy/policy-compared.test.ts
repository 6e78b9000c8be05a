import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compareAll, comparisonPage, fillComparisonPage } from './comparison-page.ts'
import { compareLanguages } from './render-languages.ts'

const answers = compareAll()
const all = Object.values(answers).flat()

describe('the toolkit and we', () => {
  it('are asked about at least 60 hops', () => {
    expect(all.length).toBeGreaterThanOrEqual(60)
  })

  it('differ exactly where a reason is given', () => {
    const wrong = all.filter(({ asked, toolkit, ours }) => (toolkit === ours) !== (asked.why === undefined))
    expect(wrong).toEqual([])
  })

  it('agree on most documents in its own spelling', () => {
    const same = answers['in its spelling']?.filter(({ toolkit, ours }) => toolkit === ours) ?? []
    expect(same.length).toBeGreaterThanOrEqual(50)
  })

  it('never allow what it denies, but by a reason that a reader can weigh', () => {
    const wider = all.filter(({ toolkit, ours }) => toolkit === 'deny' && ours === 'allow')
    expect(new Set(wider.map(({ asked }) => asked.why))).toMatchInlineSnapshot(`
      Set {
        "its SDK does not read \`action\` of a rule, so every rule that matches denies",
        "its SDK does not read \`stage\`; what an agent takes in is judged where it comes in",
        "a document that does not name the caller is silent; in a set the credentials then decide",
        "undo and lookup of a saga step are not asked of these documents: what was allowed can be taken back",
        "its SDK has no manifests: it loads one without a word, and refuses all",
        "a manifest speaks of its own agent only",
      }
    `)
  })

  it('stand on the page as they answer', () => {
    const page = readFileSync(join(import.meta.dirname, '../..', comparisonPage), 'utf8')
    expect(fillComparisonPage(page)).toBe(page)
  })
})

describe('three languages', () => {
  it.each(
    compareLanguages().map(
      (each) => [`${each.asked.policy} ${JSON.stringify([each.asked.hop, each.asked.body])}`, each] as const,
    ),
  )('decide the same: %s', (_title, { answers: { CEL: cel, Cedar: cedar, Rego: rego } }) => {
    expect([cedar.kind, cedar.body]).toEqual([cel.kind, cel.body])
    expect([rego.kind, rego.body]).toEqual([cel.kind, cel.body])
  })
})
