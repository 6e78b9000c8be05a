import type { Clock, Journal } from '@parley/ports'
import type { AgentName } from '@parley/protocol'
import { isEnded } from '../kernel/saga-state.ts'
import type { SagaDriver } from './drive-saga.ts'
import { openKeyQueue } from './key-queue.ts'

/** How often a saga is looked at that another one waits for and another process drives. */
const lookMs = 500

/** The turns of the sagas that share a key. */
export interface Turns {
  /** Resolves when the saga that comes before this one is over. */
  take(driver: SagaDriver, id: string, key: string, isNew: boolean): Promise<void>
  /** A saga of this process is over, or is its own no more. */
  pass(id: string): void
  /** Lets everybody go who waits. */
  close(): void
}

/** What turns are taken with. */
export interface TurnsOptions {
  readonly journal: Journal
  readonly name: AgentName
  readonly clock: Clock
  /** This process has the saga, so that it is told here when it is over. */
  readonly isHere: (id: string) => boolean
  readonly isOver: (id: string) => Promise<boolean>
}

/** Creates turns that nobody waits for. */
export function createTurns({ journal, name, clock, isHere, isOver }: TurnsOptions): Turns {
  const waiting = new Map<string, readonly (() => void)[]>()

  const untilOver = async (id: string): Promise<void> => {
    while (!(await isOver(id)))
      await new Promise<void>((resolve) => {
        if (isHere(id)) waiting.set(id, [...(waiting.get(id) ?? []), resolve])
        else clock.setTimer(resolve, lookMs)
      })
  }
  const pass = (id: string): void => {
    for (const resolve of waiting.get(id) ?? []) resolve()
    waiting.delete(id)
  }
  return {
    async take(driver, id, key, isNew) {
      const before = await openKeyQueue(journal, name, key).enter(id, isNew)
      if (before === undefined || (await isOver(before))) return
      await driver.note((state) =>
        state.behind === before || isEnded(state) ? [] : [{ type: 'queued', behind: before }],
      )
      await untilOver(before)
    },
    pass,
    close() {
      for (const id of waiting.keys()) pass(id)
    },
  }
}
