/** Places of which only so many exist. */
export interface Slots {
  /** Takes a place if one is free and nobody waits for it. */
  tryTake(): boolean
  /** Resolves when a place was given, first come first served. */
  take(): Promise<void>
  release(): void
}

/** Creates `size` free places. */
export function createSlots(size: number): Slots {
  let free = size
  const waiting: (() => void)[] = []
  return {
    tryTake() {
      if (free === 0) return false
      free--
      return true
    },
    take() {
      if (free > 0) {
        free--
        return Promise.resolve()
      }
      return new Promise((resolve) => waiting.push(resolve))
    },
    release() {
      const next = waiting.shift()
      if (next) next()
      else free++
    },
  }
}
