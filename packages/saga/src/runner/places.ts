import pLimit from 'p-limit'

/** How many sagas of one definition a process works on at a time, where nobody says: each holds its events in memory. */
export const defaultConcurrency = 1_000

/** How many may wait for a place: a minute's work of the default concurrency at its fastest. */
export const defaultMaxBacklog = 10_000

/** One saga's claim on the places of its definition. */
export interface Place {
  /** Takes a place if one is free and nobody waits for it. */
  tryTake(): boolean
  /** Resolves when a place was given, first come first served. */
  take(): Promise<void>
  /** Gives the place back. Does nothing where none was taken. */
  give(): void
}

/** The places of one definition: as many of its sagas are worked on at a time. */
export interface Places {
  claim(): Place
  /** How many have a place, and how many wait for one. */
  count(): { readonly taken: number; readonly waiting: number }
}

/** Creates `size` free places. */
export function createPlaces(size: number): Places {
  const limit = pLimit(size)
  return {
    count: () => ({ taken: limit.activeCount, waiting: limit.pendingCount }),
    claim() {
      let held: PromiseWithResolvers<undefined> | undefined
      const enter = (): Promise<void> => {
        const own = Promise.withResolvers<undefined>()
        held = own
        const given = Promise.withResolvers<undefined>()
        void limit(() => {
          given.resolve(undefined)
          return own.promise
        })
        return given.promise
      }
      return {
        tryTake() {
          if (limit.activeCount >= size || limit.pendingCount > 0) return false
          void enter()
          return true
        },
        take: enter,
        give() {
          held?.resolve(undefined)
          held = undefined
        },
      }
    },
  }
}
