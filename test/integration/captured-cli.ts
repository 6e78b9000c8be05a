import { runCli } from '@parley/cli'

/** What a run of the command line came to. */
export interface CliRun {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs one command line in this process, without a terminal. */
export async function runCaptured(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
  isTerminal = false,
): Promise<CliRun> {
  let out = ''
  let err = ''
  const code = await runCli(args, {
    env,
    isTerminal,
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
  })
  return { code, out, err }
}
