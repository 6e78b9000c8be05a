/** The last moment that ECMA-262 gives a date to, in milliseconds from the Unix epoch. */
const lastMs = 8_640_000_000_000_000

/** Formats milliseconds since the Unix epoch as ISO 8601 in UTC, for people; what has no date stays a number. */
export function formatTime(atMs: number): string {
  return Math.abs(atMs) <= lastMs ? new Date(atMs).toISOString() : `${String(atMs)} ms`
}
