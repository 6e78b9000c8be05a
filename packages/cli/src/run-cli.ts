import { CommanderError, type Command } from 'commander'
import { createCliContext } from './cli-context.ts'
import type { CliHost } from './cli-host.ts'
import { adviseHelp } from './command-line-error.ts'
import { createProgram } from './create-program.ts'
import { describeError, formatError, type DescribedError } from './describe-error.ts'
import { exitCodeOf, exitCodes } from './exit-code.ts'
import { escapeControls } from './printable.ts'
import { readEnv } from './read-env.ts'

/**
 * Runs one command line, without the names of node and script, and resolves with its exit code. Never rejects: whatever
 * breaks is told in two lines on standard error.
 */
export async function runCli(args: readonly string[], host: CliHost): Promise<number> {
  let code: number = exitCodes.ok
  let acting: Command | undefined
  const context = createCliContext(host, readEnv(host.env), (ended) => {
    code = ended
  })
  try {
    const program = await createProgram(context)
    program.hook('preAction', (_program, command) => {
      acting = command
    })
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    // Help and version end a command as an error does.
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok
    const described = advise(describeError(error), acting)
    if (args.includes('--json')) host.out(`${JSON.stringify({ error: described })}\n`)
    host.err(escapeControls(formatError(described)))
    if (args.includes('--debug') && error instanceof Error) host.err(`${escapeControls(error.stack ?? '')}\n`)
    return exitCodeOf(described, error)
  }
}

/** Says what to do in the words of the command, where it knows better than the code alone. */
function advise(described: DescribedError, acting: Command | undefined): DescribedError {
  if (!acting) return described
  const { code, todo } = described
  if (code === 'cli.usage') return { ...described, todo: adviseHelp(acting) }
  const asksAgents = acting.options.some(({ long }) => long === '--agent')
  return code === 'store.locked' && asksAgents ? { ...described, todo: `${todo} Or ask it with --agent.` } : described
}
