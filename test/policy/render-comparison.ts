import { askToolkit } from './ask-toolkit.ts'
import { askUs, loadDocument, readDocument } from './ask-us.ts'
import type { ComparedCase } from './compared-case.ts'

/** A hop with both answers. */
export interface ComparedAnswer {
  readonly asked: ComparedCase
  readonly toolkit: string
  readonly ours: string
}

/** Asks both about every hop; `spell` writes a document as the toolkit is to read it. */
export function compareAnswers(
  cases: readonly ComparedCase[],
  spell: (text: string) => string = (text) => text,
): readonly ComparedAnswer[] {
  return cases.map((asked) => ({
    asked,
    toolkit: askToolkit(spell(readDocument(asked.document).text), asked),
    ours: askUs(loadDocument(asked.document), asked),
  }))
}

/** Spells `action` as the toolkit's TypeScript SDK reads it. */
export function inItsSpelling(text: string): string {
  return text.replaceAll(/^(\s+)action:/gm, '$1ruleAction:')
}

/** Renders a table of both answers, with the difference of each line explained on it. */
export function renderComparison(answers: readonly ComparedAnswer[]): string {
  const rows = answers.map(({ asked, toolkit, ours }) => {
    const { document, action, body, hop, times, why = '' } = asked
    const cells = [
      document,
      `\`${action}\` ${describeBody(body)}${describeHop(hop)}${times === 1 ? '' : `, asked ${String(times)} times`}`,
      toolkit,
      ours,
      why,
    ]
    return `| ${cells.join(' | ')} |`
  })
  return ['| document | hop | toolkit | ours | why they differ |', '|---|---|---|---|---|', ...rows].join('\n')
}

function describeBody(body: ComparedCase['body']): string {
  if (Object.keys(body).length === 0) return ''
  const text = JSON.stringify(body)
  return `\`${text.length > 64 ? `${text.slice(0, 32)}…` : text}\``
}

function describeHop({ caller, risk, phase, direction }: ComparedCase['hop']): string {
  const said = [caller?.name && `by ${caller.name}`, caller?.tier, risk, phase, direction].filter(Boolean)
  return said.length === 0 ? '' : ` (${said.join(', ')})`
}
