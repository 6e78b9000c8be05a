import type { CliHost } from './cli-host.ts'
import { escapeControls } from './printable.ts'
import type { CliEnv } from './read-env.ts'

/** What a command works with. */
export interface CliContext {
  readonly host: CliHost
  readonly env: CliEnv
  /** What opens key files, as `@parley/identity` takes it. */
  readonly protection: { readonly passphrase?: string }
  readonly paint: Paint
  /** Says how the command ended; the last word counts. */
  end(code: number): void
  /** Prints lines for a person, or with `json` the value as one line of JSON. */
  print(json: boolean, lines: readonly string[], value: unknown): void
  /** Says something beside the data, for a person alone: on standard error, and not with `json`. */
  remark(json: boolean, line: string): void
}

/** Colours a text, on a terminal only. */
export interface Paint {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
}

/** Creates the context of one run; `end` is told the exit code. */
export function createCliContext(host: CliHost, env: CliEnv, end: (code: number) => void): CliContext {
  const paint =
    (code: number) =>
    (text: string): string =>
      host.isTerminal && !env.noColour ? `\u001b[${String(code)}m${text}\u001b[0m` : text
  return {
    host,
    env,
    protection: env.passphrase === undefined ? {} : { passphrase: env.passphrase },
    end,
    paint: { bold: paint(1), dim: paint(2), red: paint(31), green: paint(32), yellow: paint(33) },
    print(json, lines, value) {
      host.out(json ? `${JSON.stringify(value)}\n` : lines.map((line) => `${escapeControls(line)}\n`).join(''))
    },
    remark(json, line) {
      if (!json) host.err(`${escapeControls(line)}\n`)
    },
  }
}
