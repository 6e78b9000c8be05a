import type { CancelTimer, Clock } from './clock.ts'

/** A clock that moves only when told to. */
export interface ManualClock extends Clock {
  /** Moves time forward by `ms`, firing due timers in order and letting promises settle between them. */
  advance(ms: number): Promise<void>
  /** Lets deferred callbacks and promises settle without moving time. */
  settle(): Promise<void>
  /** Moves wall time by `ms` (negative too) without touching monotonic time or timers, as an operator's clock jump does. */
  jump(ms: number): void
}

interface PendingTimer {
  readonly dueMs: number
  readonly order: number
  readonly callback: () => void
}

/** Creates a clock that starts at `startMs` (default 2026-01-01T00:00:00Z) and stands still until `advance`. */
export function createManualClock(startMs: number = Date.UTC(2026, 0, 1)): ManualClock {
  let elapsedMs = 0
  let wallOffsetMs = startMs
  let order = 0
  const pending = new Set<PendingTimer>()
  // Promises settle over many microtask turns; real turns of the loop are the only way to let them all run.
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 12; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
  }
  const nextDue = (limitMs: number): PendingTimer | undefined => {
    let next: PendingTimer | undefined
    for (const timer of pending) {
      if (timer.dueMs > limitMs) continue
      if (!next || timer.dueMs < next.dueMs || (timer.dueMs === next.dueMs && timer.order < next.order)) next = timer
    }
    return next
  }
  return {
    now: () => Math.floor(wallOffsetMs + elapsedMs),
    monotonic: () => elapsedMs,
    setTimer(callback, delayMs): CancelTimer {
      const timer: PendingTimer = { dueMs: elapsedMs + Math.max(0, delayMs), order: order++, callback }
      pending.add(timer)
      return () => {
        pending.delete(timer)
      }
    },
    defer(callback) {
      setImmediate(callback)
    },
    settle,
    jump(ms) {
      wallOffsetMs += ms
    },
    async advance(ms) {
      const targetMs = elapsedMs + ms
      await settle()
      for (let timer = nextDue(targetMs); timer; timer = nextDue(targetMs)) {
        elapsedMs = Math.max(elapsedMs, timer.dueMs)
        pending.delete(timer)
        timer.callback()
        await settle()
      }
      elapsedMs = targetMs
      await settle()
    },
  }
}
