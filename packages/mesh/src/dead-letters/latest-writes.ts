/**
 * Brings keys of a store up to date, one after the other. A key that waits is written once, however often it changes
 * meanwhile: what changes faster than a store writes takes no memory.
 */
export interface LatestWrites {
  /** Resolves once the key stands in the store as it is when its turn comes; rejects if it could not be written. */
  write(key: string): Promise<void>
}

/** Creates an empty queue; `sync` brings one key up to date. */
export function createLatestWrites(sync: (key: string) => Promise<void>): LatestWrites {
  const waiting = new Map<string, PromiseWithResolvers<void>>()
  let isWriting = false
  const drain = async (): Promise<void> => {
    if (isWriting) return
    isWriting = true
    for (const [key, { resolve, reject }] of waiting) {
      waiting.delete(key)
      await sync(key).then(resolve, reject)
    }
    isWriting = false
  }
  return {
    write(key) {
      const before = waiting.get(key)
      if (before) return before.promise
      const turn = Promise.withResolvers<void>()
      waiting.set(key, turn)
      void drain()
      return turn.promise
    },
  }
}
