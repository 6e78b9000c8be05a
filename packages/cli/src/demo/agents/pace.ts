import { setTimeout as delay } from 'node:timers/promises'
import type { UndoableServe } from '@parley/mesh'
import { z } from 'zod'
import type { Commands } from '../channel.ts'

/** How fast an agent serves, as the demo tells it. */
export interface Pace {
  readonly commands: Commands
  /** Makes a capability wait as told before it is done. Undo and lookup are never slowed. */
  slow<Input, Result, Declared>(serve: UndoableServe<Input, Result, Declared>): UndoableServe<Input, Result, Declared>
}

/** Creates the pace of an agent that is fast until told otherwise: `slow` in milliseconds, `hold` and `release`. */
export function createPace(): Pace {
  let delayMs = 0
  let gate: PromiseWithResolvers<undefined> | undefined
  let held = 0
  let watchers: { readonly count: number; readonly resolve: () => void }[] = []

  const wait = async (): Promise<void> => {
    if (delayMs > 0) await delay(delayMs)
    if (!gate) return
    held += 1
    for (const { count, resolve } of watchers) if (held >= count) resolve()
    await gate.promise
  }
  return {
    slow: (serve) => ({
      ...serve,
      do: async (input, hop) => {
        await wait()
        return serve.do(input, hop)
      },
    }),
    commands: {
      slow(ms) {
        delayMs = z.number().parse(ms)
      },
      hold() {
        gate ??= Promise.withResolvers<undefined>()
        held = 0
      },
      /** Resolves when so many requests are held. */
      whenHeld(argument) {
        const count = z.number().parse(argument)
        if (held >= count) return undefined
        const { promise, resolve } = Promise.withResolvers<undefined>()
        watchers = [...watchers, { count, resolve: () => resolve(undefined) }]
        return promise
      },
      release() {
        gate?.resolve(undefined)
        gate = undefined
        watchers = []
      },
    },
  }
}
