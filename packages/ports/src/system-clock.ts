import type { CancelTimer, Clock } from './clock.ts'

/** The longest delay that `setTimeout` takes, in milliseconds; it would fire a longer one at once. */
const maxDelayMs = 2 ** 31 - 1

/** Creates the clock of this machine. */
export function createSystemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    setTimer(callback, delayMs): CancelTimer {
      let timer: NodeJS.Timeout
      const arm = (leftMs: number): void => {
        timer = leftMs > maxDelayMs ? setTimeout(arm, maxDelayMs, leftMs - maxDelayMs) : setTimeout(callback, leftMs)
      }
      arm(delayMs)
      return () => {
        clearTimeout(timer)
      }
    },
    defer(callback) {
      setImmediate(callback)
    },
  }
}
