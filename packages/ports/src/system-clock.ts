import type { CancelTimer, Clock } from './clock.ts'

/** Creates the clock of this machine. Timers do not keep the process alive. */
export function createSystemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    setTimer(callback, delayMs): CancelTimer {
      const timer = setTimeout(callback, delayMs)
      timer.unref()
      return () => {
        clearTimeout(timer)
      }
    },
    defer(callback) {
      setImmediate(callback)
    },
  }
}
