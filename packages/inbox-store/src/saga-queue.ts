/** Lets one transaction of a saga in at a time. */
export interface SagaQueue {
  /** Resolves when it is this one's turn, with what ends the turn. */
  enter(saga: string): Promise<() => void>
}

/** Creates an empty queue. */
export function createSagaQueue(): SagaQueue {
  const lastOf = new Map<string, Promise<void>>()
  return {
    async enter(saga) {
      const before = lastOf.get(saga)
      const turn = Promise.withResolvers<void>()
      const mine = turn.promise
      lastOf.set(saga, mine)
      await before
      return () => {
        if (lastOf.get(saga) === mine) lastOf.delete(saga)
        turn.resolve()
      }
    },
  }
}
