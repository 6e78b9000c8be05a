/** Cancels a timer; calling it twice, or after the timer fired, does nothing. */
export type CancelTimer = () => void

/**
 * Supplies time. Everything in Parley that waits, expires or measures asks this port, so that a test or the simulation
 * can own time.
 */
export interface Clock {
  /** Returns wall time in whole milliseconds since the Unix epoch, as envelopes carry it. May jump; use it for what is compared with other machines. */
  now(): number
  /** Returns milliseconds since an arbitrary start, with a fraction. Never goes back; use it for durations and leases. */
  monotonic(): number
  /** Calls `callback` once after `delayMs` milliseconds. As with `setTimeout`, a pending timer keeps the process alive. */
  setTimer(callback: () => void, delayMs: number): CancelTimer
  /** Calls `callback` at the end of this event-loop turn: after the microtasks that are queued now, before other I/O. */
  defer(callback: () => void): void
}
