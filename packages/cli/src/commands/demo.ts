import type { Command } from 'commander'
import type { CliContext } from '../cli-context.ts'
import { parseWhole } from '../parse-whole.ts'

/** Adds `parley demo`. */
export function addDemoCommand(program: Command, context: CliContext): void {
  program
    .command('demo')
    .description('run agents in real processes over a real broker, break things, and check what came of it')
    .option('--seed <number>', 'draws the same trips in the same order; drawn and printed if left out', parseWhole)
    .option('--json', 'print one JSON object, progress on standard error')
    .action(async ({ seed, json = false }: { readonly seed?: number; readonly json?: boolean }) => {
      const { runDemo } = await import('../demo/run-demo.ts')
      context.end(await runDemo({ json, noColour: context.env.noColour, ...(seed === undefined ? {} : { seed }) }))
    })
}
