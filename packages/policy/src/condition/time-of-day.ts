const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Tells the hour in UTC, 0 to 23. */
export function hourOf(nowMs: number): number {
  return Math.floor(nowMs / hourMs) % 24
}

/** Tells the weekday in UTC; Sunday is 0. The epoch was a Thursday. */
export function weekdayOf(nowMs: number): number {
  return (Math.floor(nowMs / dayMs) + 4) % 7
}
