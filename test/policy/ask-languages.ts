import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compilePolicy, decidePolicy, type PolicyPart, type PolicyProblem, type PolicySet } from '@parley/policy'
import { createCedarForm } from '@parley/policy-cedar'
import { loadRego } from '@parley/policy-rego'
import { hopOf } from '../../packages/policy/src/policy-input.fixture.ts'
import type { LanguageCase } from './language-cases.ts'

/** The languages in which the three policies stand, by the ending of their files. */
export const languages = { CEL: '.yaml', Cedar: '.cedar', Rego: '.tar.gz' } as const

/** One of `languages`. */
export type Language = keyof typeof languages

/** What a set of one document said of a hop. */
export interface LanguageAnswer {
  readonly kind: 'allow' | 'deny'
  readonly code: string
  /** `document#rule`. */
  readonly rule: string
  /** What goes on: the body as it was, or as a transform left it. */
  readonly body: unknown
}

const folder = join(import.meta.dirname, 'languages')
const sets = new Map<string, PolicySet>()

/** Decides a hop by one policy in one language, as a node would: in a set with what credentials grant. */
export function askLanguage(language: Language, { policy, hop, body }: LanguageCase): LanguageAnswer {
  const file = `${policy}${languages[language]}`
  const set = sets.get(file) ?? compilePolicy([loadPart(file)], { defaults: false, forms: [createCedarForm()] })
  sets.set(file, set)
  const decision = decidePolicy(set, hopOf({ ...hop, body: () => body }))
  const { kind, document, rule, rewritten } = decision
  return {
    kind,
    code: decision.kind === 'deny' ? decision.code : '',
    rule: `${document}#${rule}`,
    body: kind === 'deny' ? undefined : (rewritten?.body ?? body),
  }
}

function loadPart(file: string): PolicyPart {
  const bytes = readFileSync(join(folder, file))
  if (!file.endsWith('.tar.gz')) return { file, text: bytes.toString() }
  const problems: PolicyProblem[] = []
  const engine = loadRego({ file, bytes }, problems)
  if (engine === undefined) throw new TypeError(JSON.stringify(problems))
  return engine
}
