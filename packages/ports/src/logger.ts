/** Flat, JSON-safe facts of a log line. Never a key, a token or a body. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** Receives structured log lines. The host decides where they go; the default is nowhere. */
export interface Logger {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}
