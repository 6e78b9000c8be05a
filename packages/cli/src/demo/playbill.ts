import type { AppendedRecord } from '@parley/mesh'
import type { ActResult } from './act.ts'
import { narrateRecord } from './narration.ts'

/** Where lines for a person go. */
export interface Playbill {
  line(text: string): void
  act(name: string): void
  /** Prints what a record says, with its number in that agent's audit log. */
  record(agent: string, record: AppendedRecord): void
  table(results: readonly ActResult[]): void
}

/** What is written to; colours are used on a terminal only. */
export type Output = Pick<NodeJS.WriteStream, 'write' | 'isTTY'> & { readonly columns?: number }

const nameWidth = 14
/** Wide enough for most cells, narrow enough for a file. */
const defaultColumns = 140
const markWidth = 6

/** Creates the lines of a demo on an output. */
export function createPlaybill(output: Output, noColour: boolean): Playbill {
  const paint =
    (code: number) =>
    (text: string): string =>
      output.isTTY && !noColour ? `\u001b[${code}m${text}\u001b[0m` : text
  const [bold, dim, red, green] = [paint(1), paint(2), paint(31), paint(32)]
  const line = (text: string): void => {
    output.write(`${text}\n`)
  }
  return {
    line,
    act: (name) => line(`\n${bold(name)}`),
    record(agent, record) {
      const said = narrateRecord(record)
      if (said !== undefined) line(`  ${agent.padEnd(nameWidth)} ${dim(`#${record.seq}`.padStart(4))}  ${said}`)
    },
    table(results) {
      const actWidth = Math.max(3, ...results.map(({ name }) => name.length)) + 2
      const cellWidth = Math.floor(((output.columns ?? defaultColumns) - markWidth - actWidth - 2) / 2)
      line(`\n${bold(`${' '.repeat(markWidth)}${'act'.padEnd(actWidth)}${'expected'.padEnd(cellWidth + 2)}seen`)}`)
      for (const { name, facts } of results)
        for (const [at, { expected, seen }] of facts.entries()) {
          const mark = expected === seen ? green('ok'.padEnd(markWidth)) : red('FAIL'.padEnd(markWidth))
          const [left, right] = [wrapText(expected, cellWidth), wrapText(seen, cellWidth)]
          for (let row = 0; row < Math.max(left.length, right.length); row++) {
            const act = (row + at === 0 ? name : '').padEnd(actWidth)
            const cells = `${(left[row] ?? '').padEnd(cellWidth + 2)}${right[row] ?? ''}`
            line(`${row === 0 ? mark : ' '.repeat(markWidth)}${act}${cells}`.trimEnd())
          }
        }
    },
  }
}

/** Breaks a text at spaces into rows of at most `width` characters, longer words excepted. */
function wrapText(text: string, width: number): readonly string[] {
  const rows: string[] = []
  for (const word of text.split(' ')) {
    const longer = rows.length === 0 ? word : `${rows.at(-1) ?? ''} ${word}`
    if (rows.length === 0 || longer.length > width) rows.push(word)
    else rows[rows.length - 1] = longer
  }
  return rows
}
