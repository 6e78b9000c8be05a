import { CommanderError } from 'commander'
import { createCliContext } from './cli-context.ts'
import type { CliHost } from './cli-host.ts'
import { adviseHelp } from './command-line-error.ts'
import { createProgram } from './create-program.ts'
import { describeError, formatError } from './describe-error.ts'
import { exitCodeOf, exitCodes } from './exit-code.ts'
import { readEnv } from './read-env.ts'

/**
 * Runs one command line, without the names of node and script, and resolves with its exit code. Never rejects: whatever
 * breaks is told in two lines on standard error.
 */
export async function runCli(args: readonly string[], host: CliHost): Promise<number> {
  let code: number = exitCodes.ok
  let advice: string | undefined
  const context = createCliContext(host, readEnv(host.env), (ended) => {
    code = ended
  })
  try {
    const program = await createProgram(context)
    program.hook('preAction', (_program, acting) => {
      advice = adviseHelp(acting)
    })
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    // Help and version end a command as an error does.
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok
    const told = describeError(error)
    const described = told.code === 'cli.usage' && advice !== undefined ? { ...told, todo: advice } : told
    if (args.includes('--json')) host.out(`${JSON.stringify({ error: described })}\n`)
    host.err(formatError(described))
    if (args.includes('--debug') && error instanceof Error) host.err(`${error.stack ?? ''}\n`)
    return exitCodeOf(described, error)
  }
}
