import type { CancelTimer, Clock } from './clock.ts'

/** Creates the clock of this machine. */
export function createSystemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    setTimer(callback, delayMs): CancelTimer {
      const timer = setTimeout(callback, delayMs)
      return () => {
        clearTimeout(timer)
      }
    },
    defer(callback) {
      setImmediate(callback)
    },
  }
}
