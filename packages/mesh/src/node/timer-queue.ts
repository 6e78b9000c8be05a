import type { CancelTimer, Clock } from '@parley/ports'
import TinyQueue from 'tinyqueue'

/**
 * Many timers on one of the clock's: every call has a deadline, and nearly none of them is reached.
 *
 * I1 A callback is called once, at or after its time, in the order of the times; never after it was cancelled.
 * I2 While nothing waits, no timer of the clock is held.
 * I3 Cancelled entries take no more room than those that wait, and a little.
 */
export interface TimerQueue {
  /** Calls `callback` once after `delayMs` milliseconds. Cancelling twice, or after the call, does nothing. */
  set(callback: () => void, delayMs: number): CancelTimer
}

interface Entry {
  readonly dueMs: number
  readonly order: number
  callback: (() => void) | undefined
}

/** Below this many cancelled entries, sorting them out is not worth it. */
const minCancelled = 1_024

/** Creates an empty queue. */
export function createTimerQueue(clock: Clock): TimerQueue {
  let waiting = new TinyQueue<Entry>([], compare)
  let live = 0
  let order = 0
  let armedMs = Infinity
  let cancelArmed: CancelTimer | undefined

  const disarm = (): void => {
    cancelArmed?.()
    cancelArmed = undefined
    armedMs = Infinity
  }
  const arm = (dueMs: number): void => {
    cancelArmed?.()
    armedMs = dueMs
    cancelArmed = clock.setTimer(fire, Math.max(0, dueMs - clock.monotonic()))
  }
  const fire = (): void => {
    cancelArmed = undefined
    armedMs = Infinity
    const nowMs = clock.monotonic()
    for (let first = waiting.peek(); first && (!first.callback || first.dueMs <= nowMs); first = waiting.peek()) {
      waiting.pop()
      const { callback } = first
      if (!callback) continue
      first.callback = undefined
      live -= 1
      callback()
    }
    const next = waiting.peek()
    if (next && next.dueMs < armedMs) arm(next.dueMs)
  }
  const cancel = (entry: Entry): void => {
    if (!entry.callback) return
    entry.callback = undefined
    live -= 1
    if (live === 0) {
      waiting = new TinyQueue<Entry>([], compare)
      disarm()
    } else if (waiting.length - live > Math.max(minCancelled, live)) {
      waiting = new TinyQueue(
        waiting.data.filter(({ callback }) => callback),
        compare,
      )
    }
  }
  return {
    set(callback, delayMs) {
      const entry: Entry = { dueMs: clock.monotonic() + Math.max(0, delayMs), order: order++, callback }
      live += 1
      waiting.push(entry)
      if (entry.dueMs < armedMs) arm(entry.dueMs)
      return () => {
        cancel(entry)
      }
    },
  }
}

function compare(left: Entry, right: Entry): number {
  return left.dueMs - right.dueMs || left.order - right.order
}
