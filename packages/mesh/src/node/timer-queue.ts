import type { CancelTimer, Clock } from '@parley/ports'

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
  /** A binary heap: no entry is due before its parent. */
  let heap: Entry[] = []
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
    for (let first = heap[0]; first && (!first.callback || first.dueMs <= nowMs); first = heap[0]) {
      removeFirst(heap)
      const { callback } = first
      if (!callback) continue
      first.callback = undefined
      live -= 1
      callback()
    }
    const [next] = heap
    if (next && next.dueMs < armedMs) arm(next.dueMs)
  }
  const cancel = (entry: Entry): void => {
    if (!entry.callback) return
    entry.callback = undefined
    live -= 1
    if (live === 0) {
      heap = []
      disarm()
    } else if (heap.length - live > Math.max(minCancelled, live)) {
      // A sorted list is a heap.
      heap = heap.filter(({ callback }) => callback).sort((left, right) => (isBefore(left, right) ? -1 : 1))
    }
  }
  return {
    set(callback, delayMs) {
      const entry: Entry = { dueMs: clock.monotonic() + Math.max(0, delayMs), order: order++, callback }
      live += 1
      insert(heap, entry)
      if (entry.dueMs < armedMs) arm(entry.dueMs)
      return () => {
        cancel(entry)
      }
    },
  }
}

function isBefore(left: Entry, right: Entry): boolean {
  return left.dueMs < right.dueMs || (left.dueMs === right.dueMs && left.order < right.order)
}

function insert(heap: Entry[], entry: Entry): void {
  let at = heap.push(entry) - 1
  while (at > 0) {
    const parentAt = (at - 1) >> 1
    const parent = heap[parentAt]
    if (!parent || isBefore(parent, entry)) break
    heap[at] = parent
    at = parentAt
  }
  heap[at] = entry
}

function removeFirst(heap: Entry[]): void {
  const last = heap.pop()
  if (!last || heap.length === 0) return
  let at = 0
  for (;;) {
    const leftAt = at * 2 + 1
    const left = heap[leftAt]
    if (!left) break
    const right = heap[leftAt + 1]
    const [child, childAt] = right && isBefore(right, left) ? [right, leftAt + 1] : [left, leftAt]
    if (isBefore(last, child)) break
    heap[at] = child
    at = childAt
  }
  heap[at] = last
}
