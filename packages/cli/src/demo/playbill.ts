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
export type Output = Pick<NodeJS.WriteStream, 'write' | 'isTTY'>

const nameWidth = 14

/** Creates the lines of a demo on an output. */
export function createPlaybill(output: Output): Playbill {
  const paint =
    (code: number) =>
    (text: string): string =>
      output.isTTY ? `\u001b[${code}m${text}\u001b[0m` : text
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
      const facts = results.flatMap((result) => result.facts)
      const actWidth = Math.max(3, ...results.map(({ name }) => name.length))
      const expectedWidth = Math.max(8, ...facts.map(({ expected }) => expected.length))
      line(`\n${bold(`     ${'act'.padEnd(actWidth)}  ${'expected'.padEnd(expectedWidth)}  seen`)}`)
      for (const { name, facts: own } of results)
        for (const [at, { expected, seen }] of own.entries()) {
          const mark = expected === seen ? green('ok  ') : red('FAIL')
          line(`${mark} ${(at === 0 ? name : '').padEnd(actWidth)}  ${expected.padEnd(expectedWidth)}  ${seen}`)
        }
    },
  }
}
