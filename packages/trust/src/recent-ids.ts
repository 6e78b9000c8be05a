/** Remembers ids within a bound. */
export interface RecentIds {
  has(id: string): boolean
  add(id: string): void
}

/** Creates a memory of at least the last `count` ids and at most twice as many. */
export function createRecentIds(count: number): RecentIds {
  let current = new Set<string>()
  let previous = new Set<string>()
  return {
    has: (id) => current.has(id) || previous.has(id),
    add(id) {
      if (current.size >= count) {
        previous = current
        current = new Set()
      }
      current.add(id)
    },
  }
}
