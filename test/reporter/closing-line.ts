import type { Reporter } from 'vitest/node'
import { countRun, formatClosingLine } from './closing-counts.ts'

/**
 * Ends the output with one line that a person or a script can rely on: `N passed, N failed` or `N passed, N failed, N
 * skipped`. It is written when the process ends, after whatever else the run still has to say.
 */
export default function createClosingLineReporter(): Reporter {
  let line: string | undefined
  return {
    onInit(vitest) {
      if (vitest.config.watch) return
      process.once('exit', () => {
        if (line !== undefined) process.stdout.write(`${line}\n`)
      })
    },
    onTestRunEnd(modules, unhandledErrors) {
      line = formatClosingLine(countRun(modules, unhandledErrors.length))
    },
  }
}
