/** Counts the calls that are being served, so that they are bounded and can be waited for. */
export interface InFlight {
  /**
   * Takes a place; undefined if all are taken, or if `who` has its share of them: without one it is work of our own. The
   * returned function gives it back, once.
   */
  enter(who?: string): (() => void) | undefined
  count(): number
  /** Resolves when no call is being served. */
  idle(): Promise<void>
}

/** What one caller may have of all places: slow calls of one must not shut out the others. */
const shareOfOne = 0.75

/** Creates `maxCalls` places. */
export function createInFlight(maxCalls: number): InFlight {
  const maxOfOne = Math.ceil(maxCalls * shareOfOne)
  const byWho = new Map<string, number>()
  let count = 0
  let waiting: (() => void)[] = []
  const move = (who: string | undefined, by: number): void => {
    count += by
    if (who === undefined) return
    const own = (byWho.get(who) ?? 0) + by
    if (own > 0) byWho.set(who, own)
    else byWho.delete(who)
  }
  const leave = (who: string | undefined): void => {
    move(who, -1)
    if (count > 0) return
    const resolved = waiting
    waiting = []
    for (const resolve of resolved) resolve()
  }
  return {
    enter(who) {
      if (count >= maxCalls || (who !== undefined && (byWho.get(who) ?? 0) >= maxOfOne)) return undefined
      move(who, 1)
      let released = false
      return () => {
        if (released) return
        released = true
        leave(who)
      }
    },
    count: () => count,
    idle: () => (count === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  }
}
