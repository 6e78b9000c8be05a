import type { Clock } from '@parley/ports'

interface Timer {
  readonly dueMs: number
  readonly order: number
  readonly callback: () => void
}

/**
 * Creates a clock in which waiting takes no time: whenever nothing else runs, it jumps to the next timer and fires it. For
 * tests of what happens, not of when.
 */
export function createInstantClock(startMs: number = Date.UTC(2026, 0, 1)): Clock & { jump(ms: number): void } {
  let nowMs = startMs
  let order = 0
  let scheduled = false
  const timers = new Set<Timer>()
  const schedule = (): void => {
    if (scheduled || timers.size === 0) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      const next = [...timers].reduce<Timer | undefined>(
        (left, right) =>
          !left || right.dueMs < left.dueMs || (right.dueMs === left.dueMs && right.order < left.order) ? right : left,
        undefined,
      )
      if (!next) return
      timers.delete(next)
      nowMs = Math.max(nowMs, next.dueMs)
      next.callback()
      schedule()
    })
  }
  return {
    now: () => nowMs,
    monotonic: () => nowMs - startMs,
    setTimer(callback, delayMs) {
      const timer = { dueMs: nowMs + Math.max(0, delayMs), order: order++, callback }
      timers.add(timer)
      schedule()
      return () => {
        timers.delete(timer)
      }
    },
    defer(callback) {
      setImmediate(callback)
    },
    jump(ms) {
      nowMs += ms
    },
  }
}
