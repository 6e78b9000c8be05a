import pLimit from 'p-limit'
import { isMeshError } from '@parley/protocol'
import { foldSaga } from '../kernel/fold-saga.ts'
import type { SagaEvent } from '../kernel/saga-event.ts'
import { isEnded, isOver, type SagaState } from '../kernel/saga-state.ts'
import { isInFlight } from '../kernel/settle-tree.ts'
import { createPace } from './pace.ts'
import type { SagaGauge } from './saga-gauge.ts'
import type { SagaDesk } from './saga-desk.ts'
import type { SagaNode } from './saga-node.ts'
import type { StoppedSaga } from './sagas.ts'

/** What a look for orphans came to. */
export interface Adopted {
  /** Ids of the sagas that were taken over. */
  readonly adopted: readonly string[]
  readonly stopped: readonly StoppedSaga[]
}

/** Takes over what nobody drives. */
export interface Adoption {
  /** Goes on with a saga of this instance that it does not drive; does nothing where it is another's, or over. */
  adoptOwn(id: string): Promise<void>
  adoptAll(alive: ReadonlySet<string>): Promise<Adopted>
}

/** How sagas are taken over. */
export interface AdoptionOptions {
  /** Most at the same time. */
  readonly concurrency: number
  /** Is told of what is stuck, which nobody drives, and of what is another's. */
  readonly gauge: SagaGauge
  readonly onAdopted: (id: string) => void
}

/** How long one saga may keep others from being taken over, in milliseconds: its participant may be slow after an outage. */
const paceMs = 50

/**
 * Creates an adoption that takes so many sagas at a time, in random order, and gives each a moment to ask its participants
 * before the next: after an outage neither store nor participants meet all of them at once (T16), and two adopters do not
 * go down the same list.
 */
export function createAdoption(
  node: SagaNode,
  desk: SagaDesk,
  { concurrency, gauge, onAdopted }: AdoptionOptions,
): Adoption {
  const told = new Map<string, string>()

  const takeOver = async (id: string, alive: Pick<ReadonlySet<string>, 'has'>): Promise<boolean> => {
    if (await desk.isKnownOver(id)) return false
    const journal = desk.open(id)
    const past = await journal.read()
    const state = foldSaga(past.map(({ event }) => event))
    if (isOver(state)) desk.over.add(id)
    const isOthers = state.instance !== node.instance && alive.has(state.instance)
    if (isOthers || isOver(state)) gauge.left(id)
    else if (isEnded(state)) gauge.moved(state)
    if (isEnded(state) || isOthers) return false
    desk.assertOwner(state)
    const definition = desk.registry.find(state.started.definition)
    const owned: SagaEvent = { type: 'owned', instance: node.instance, epoch: state.epoch + 1 }
    const unsaved = [owned, ...listInterrupted(state)]
    await desk.drive({ id, journal, definition, past, state, unsaved, key: state.started.key })
    onAdopted(id)
    return true
  }

  const tell = (stopped: StoppedSaga): void => {
    const { id, error } = stopped
    if (told.get(id) === error.code) return
    told.set(id, error.code)
    node.logger.error(error.code, { saga: id, message: error.message })
    node.record('saga', { saga: id, event: 'stopped', code: error.code })
  }

  return {
    async adoptOwn(id) {
      await desk.serially(id, async () => {
        if (!desk.isClosed() && !(await desk.findInTurn(id))) await takeOver(id, { has: () => true })
      })
    },
    async adoptAll(alive) {
      const adopted: string[] = []
      const stopped: StoppedSaga[] = []
      const pace = createPace(node.clock)
      const adopt = async (id: string): Promise<void> => {
        await pace()
        if (desk.isClosed() || desk.isBusy(id)) return
        try {
          if (!(await desk.serially(id, async () => takeOver(id, alive)))) return
          adopted.push(id)
          const feed = desk.driven.get(id)?.feed
          if (feed) await Promise.race([feed.changed(), pass(node)])
        } catch (error) {
          // Only this saga is concerned. A store that is gone concerns all of them.
          if (!isMeshError(error) || error.code.startsWith('store.')) throw error
          if (error.code !== 'saga.not-owned' && error.code !== 'saga.closed') stopped.push({ id, error })
        }
      }
      const limit = pLimit(concurrency)
      // Most of them wait, or are over: nothing is shuffled that needs no look.
      const ids = (await desk.ids()).filter((id) => !desk.isBusy(id) && !desk.over.has(id))
      await Promise.all(shuffle(node, ids).map((id) => limit(adopt, id)))
      stopped.sort((left, right) => (left.id < right.id ? -1 : 1))
      for (const one of stopped) tell(one)
      return { adopted: adopted.toSorted(), stopped }
    },
  }
}

/** What was under way when its owner stopped may have been done: nobody knows until its participant is asked. */
function listInterrupted(state: SagaState): readonly SagaEvent[] {
  return Object.values(state.steps)
    .filter(isInFlight)
    .map((step) => ({ type: 'unknown', step: step.plan.name, code: 'saga.interrupted' }))
}

function shuffle({ random }: SagaNode, ids: readonly string[]): readonly string[] {
  return ids
    .map((id) => ({ id, at: random.float() }))
    .toSorted((left, right) => left.at - right.at)
    .map(({ id }) => id)
}

function pass({ clock }: SagaNode): Promise<void> {
  return new Promise((resolve) => clock.setTimer(resolve, paceMs))
}
