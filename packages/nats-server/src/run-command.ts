import { spawn } from 'node:child_process'

/** What a finished command left. `code` is null when it was killed, for instance at its time limit. */
export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  /** Standard output and standard error as they came. */
  readonly output: string
}

/** How a command is run. */
export interface CommandOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly timeoutMs: number
}

/** The most characters that are kept of a command's output. */
const maxOutputChars = 64 * 1024

/** Runs a program without a shell and waits for its end. Never rejects: a program that cannot start has code null. */
export function runCommand(
  file: string,
  args: readonly string[],
  { cwd, env, timeoutMs }: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env: { ...env } }),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    // Node's own `timeout` would keep the process alive for that long after a program that cannot start.
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    const end = (result: CommandResult): void => {
      clearTimeout(timer)
      resolve(result)
    }
    let stdout = ''
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(-maxOutputChars)
      output = (output + text).slice(-maxOutputChars)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-maxOutputChars)
    })
    child.once('error', (error) => {
      end({ code: null, stdout, output: `${output}${error.message}` })
    })
    child.once('close', (code) => {
      end({ code, stdout, output })
    })
  })
}
