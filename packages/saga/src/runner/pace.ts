import type { Clock } from '@parley/ports'

/** Sagas that are looked at before others get their turn of the event loop: some milliseconds on a store in this process. */
const perTurn = 16

/** Creates what a walk over many sagas awaits before each of them, also where it looks at several at the same time. */
export function createPace(clock: Clock): () => Promise<void> {
  let looked = 0
  let turn: Promise<void> | undefined
  return async () => {
    while (turn) await turn
    if (++looked % perTurn > 0) return
    turn = new Promise((resolve) =>
      clock.defer(() => {
        turn = undefined
        resolve()
      }),
    )
  }
}
