import type { Clock } from '@parley/ports'
import type { ErrorCode } from '@parley/protocol'

/** Counts frames that were refused before their proof held. */
export interface RejectedFrames {
  count(code: ErrorCode): void
  /** Writes the summary that is due, if any. */
  flush(): void
}

/** How often a summary is written at most, in milliseconds. */
const summaryMs = 1_000

/** How many frames were refused since the last summary; `codes` lists `code=count`. */
export interface RejectedSummary {
  readonly frames: number
  readonly codes: readonly string[]
}

/** Creates the counter; `write` gets one summary a second while there is something to tell. */
export function createRejectedFrames(clock: Clock, write: (summary: RejectedSummary) => void): RejectedFrames {
  let counts = new Map<ErrorCode, number>()
  let cancelTimer: (() => void) | undefined
  const flush = (): void => {
    cancelTimer?.()
    cancelTimer = undefined
    if (counts.size === 0) return
    const told = counts
    counts = new Map()
    write({
      frames: [...told.values()].reduce((sum, count) => sum + count, 0),
      codes: [...told].map(([code, count]) => `${code}=${String(count)}`),
    })
  }
  return {
    count(code) {
      counts.set(code, (counts.get(code) ?? 0) + 1)
      cancelTimer ??= clock.setTimer(flush, summaryMs)
    },
    flush,
  }
}
