import { askLanguage, languages, type Language, type LanguageAnswer } from './ask-languages.ts'
import { languageCases, type LanguageCase } from './language-cases.ts'

/** A hop with the answers of all languages. */
export interface LanguageAnswers {
  readonly asked: LanguageCase
  readonly answers: Readonly<Record<Language, LanguageAnswer>>
}

/** Decides every hop in every language. */
export function compareLanguages(): readonly LanguageAnswers[] {
  const names = Object.keys(languages) as readonly Language[]
  return languageCases.map((asked) => ({
    asked,
    answers: Object.fromEntries(names.map((name) => [name, askLanguage(name, asked)])) as LanguageAnswers['answers'],
  }))
}

/** Renders a table of the answers, one column a language. */
export function renderLanguages(all: readonly LanguageAnswers[]): string {
  const names = Object.keys(languages) as readonly Language[]
  const rows = all.map(({ asked: { policy, hop, body }, answers }) => {
    const { action = '', caller, risk } = hop
    const said = [caller?.name && `by ${caller.name}`, risk].filter(Boolean).join(', ')
    const shown = names.map((name) => describe(answers[name], body))
    return `| ${[policy, `\`${action}\` \`${JSON.stringify(body)}\`${said && ` (${said})`}`, ...shown].join(' | ')} |`
  })
  return [`| policy | hop | ${names.join(' | ')} |`, `|---|---|${'---|'.repeat(names.length)}`, ...rows].join('\n')
}

function describe({ kind, code, body }: LanguageAnswer, asked: unknown): string {
  if (kind === 'deny') return code === 'policy.denied' ? 'deny' : `deny (\`${code}\`)`
  return JSON.stringify(body) === JSON.stringify(asked) ? 'allow' : `allow \`${JSON.stringify(body)}\``
}
