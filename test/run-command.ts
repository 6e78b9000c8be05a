/** A command of this repository: how it is used, how its arguments are read, and what it does. */
export interface Command<Options> {
  readonly usage: string
  /** Reads arguments; undefined, or what `parseArgs` throws, if they are not right. */
  readonly read: (args: readonly string[]) => Options | undefined
  /** Says whether all held. */
  readonly run: (options: Options) => Promise<boolean>
}

/**
 * Runs a command with the arguments of this process. Exit status: 1 if something did not hold, 2 for arguments that are not
 * right, whose usage goes to stderr; `--help` prints it.
 */
export async function runCommand<Options>({ usage, read, run }: Command<Options>): Promise<void> {
  const args = process.argv.slice(2).filter((argument) => argument !== '--')
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${usage}\n`)
    return
  }
  const refuse = (why: string): void => {
    process.stderr.write(why + usage + '\n')
    process.exitCode = 2
  }
  let options: Options | undefined
  try {
    options = read(args)
  } catch (error) {
    refuse(`${error instanceof Error ? error.message : String(error)}\n`)
    return
  }
  if (!options) refuse('')
  else if (!(await run(options))) process.exitCode = 1
}
