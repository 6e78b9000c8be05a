/** Counts the calls that are being served, so that they are bounded and can be waited for. */
export interface InFlight {
  /** Takes a place; undefined if all are taken. The returned function gives it back, once. */
  enter(): (() => void) | undefined
  count(): number
  /** Resolves when no call is being served. */
  idle(): Promise<void>
}

/** Creates `maxCalls` places. */
export function createInFlight(maxCalls: number): InFlight {
  let count = 0
  let waiting: (() => void)[] = []
  return {
    enter() {
      if (count >= maxCalls) return undefined
      count += 1
      let released = false
      return () => {
        if (released) return
        released = true
        count -= 1
        if (count > 0) return
        const resolved = waiting
        waiting = []
        for (const resolve of resolved) resolve()
      }
    },
    count: () => count,
    idle: () => (count === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  }
}
