import { isMeshError, MeshError } from '@parley/protocol'
import { CommandLineError } from './command-line-error.ts'
import { describeFileError, findRefusedPath, isWrongFile } from './describe-file-error.ts'

/** An error as the command line tells it, on standard error and, with `--json`, on standard output. */
export interface DescribedError {
  readonly code: string
  readonly message: string
  readonly todo: string
}

/** Describes what was thrown. What is no `MeshError` is a bug of parley; its stack is shown with `--debug` only. */
export function describeError(error: unknown): DescribedError {
  if (isMeshError(error)) return { code: error.code, message: error.message, todo: error.todo }
  if (error instanceof CommandLineError) return { code: 'cli.usage', message: error.message, todo: error.todo }
  const path = findRefusedPath(error)
  if (path !== undefined) {
    const code = isWrongFile(error) ? 'cli.usage' : 'cli.file-failed'
    return describeError(new MeshError(code, `${path} cannot be used: ${describeFileError(error)}`))
  }
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'bug', message, todo: 'Run it again with --debug, and report what it prints.' }
}

/** Formats a described error in two lines. */
export function formatError({ code, message, todo }: DescribedError): string {
  return `${code}: ${message}\nwhat to do: ${todo}\n`
}
