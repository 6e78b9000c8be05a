/**
 * Leaf hashes of what came to a mailbox lately. It forgets rather than refuses: an outcome that is heard twice tells
 * nothing new, and one that is refused for want of room would be lost.
 */
export interface RecentLeaves {
  /** Takes a leaf; false if it was taken lately. */
  take(leaf: string): boolean
}

/** More than a busy orchestrator hears within the life of an envelope; about 2 MB. */
const defaultMaxLeaves = 16_384

/** Creates a memory of the last `maxLeaves`. */
export function createRecentLeaves(maxLeaves: number = defaultMaxLeaves): RecentLeaves {
  const taken = new Set<string>()
  return {
    take(leaf) {
      if (taken.has(leaf)) return false
      taken.add(leaf)
      const [oldest] = taken
      if (taken.size > maxLeaves && oldest !== undefined) taken.delete(oldest)
      return true
    },
  }
}
