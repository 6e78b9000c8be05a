/** A check that has to hold before anything is read, again each time something asked for it. */
export interface Recheck {
  /** From now on the check has to be made anew. */
  demand(): void
  /** Resolves once the check held since it was last demanded; rejects with what the check says now. */
  wait(): Promise<void>
}

/** Creates a check that holds until it is demanded. One that fails is made again by whoever waits next. */
export function createRecheck(check: () => Promise<void>): Recheck {
  let demanded = 0
  let held = 0
  let running: { readonly demand: number; readonly result: Promise<void> } | undefined
  const run = async (demand: number): Promise<void> => {
    try {
      await check()
      held = Math.max(held, demand)
    } finally {
      if (running?.demand === demand) running = undefined
    }
  }
  return {
    demand() {
      demanded += 1
    },
    async wait() {
      if (held === demanded) return
      if (running?.demand !== demanded) running = { demand: demanded, result: run(demanded) }
      await running.result
    },
  }
}
