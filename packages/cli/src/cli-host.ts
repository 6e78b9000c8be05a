/** What the command line gets of the process that it runs in. */
export interface CliHost {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Writes to standard output: text, or the bytes of a file. */
  out(data: string | Uint8Array): void
  /** Writes to standard error. */
  err(text: string): void
  /** Standard output is a terminal: colours may be used. */
  readonly isTerminal: boolean
}
