import { isMeshError } from '@parley/protocol'
import { peekEnd } from '../journal/peek-journal.ts'
import { formatSagaStream } from '../journal/saga-journal.ts'
import { foldSaga } from '../kernel/fold-saga.ts'
import { isOver } from '../kernel/saga-state.ts'
import { sealSaga } from '../kernel/seal-saga.ts'
import { formatKeyPrefix, trimTickets } from './key-queue.ts'
import { createPace } from './pace.ts'
import type { SagaDesk } from './saga-desk.ts'
import type { SagaNode } from './saga-node.ts'

// I1 Only what is over is compacted, and only as long after its end as was said; every instance may do it, the journal decides.
// I2 A compaction is one step: wherever the process ends, the saga is whole or sealed.
// I3 What cannot be read is left as it is.

/** How long the journal of a saga is kept whole after its end, where nobody says: 30 days. */
export const defaultKeepEndedMs: number = 30 * 24 * 60 * 60 * 1000

/** Looks are at most so far apart, in milliseconds, and at least so far. */
const maxLookMs = 6 * 60 * 60 * 1000
const minLookMs = 60 * 1000

/** Sagas whose time has not come are remembered, so that a look reads each once. */
const maxRemembered = 100_000

/** Sees that what is over does not stay for ever. */
export interface Retention {
  /** Compacts what is due. Resolves with the ids of the sagas that were sealed. */
  sweep(): Promise<readonly string[]>
  /** Sweeps now and then, from now on. */
  begin(): void
  stop(): void
}

/** Creates a retention that sweeps when it is told to. */
export function createRetention(node: SagaNode, desk: SagaDesk, keepEndedMs: number): Retention {
  const { clock, logger, store } = node
  const dueAtMs = new Map<string, number>()
  const sealed = new Set<string>()
  let cancelTimer = (): void => undefined
  let stopped = false

  const seal = async (id: string): Promise<boolean> => {
    if (sealed.has(id) || clock.now() < (dueAtMs.get(id) ?? 0)) return false
    const end = await peekEnd(store.journal, formatSagaStream(node.name, id))
    if (!end) return false
    // Whoever sealed it may have died before the bodies were removed.
    if (end.isSealed && end.hasBodies) await desk.open(id).erase()
    if (end.isSealed) remember(sealed, id)
    const dueMs = end.atMs + keepEndedMs
    if (end.isSealed || clock.now() < dueMs) {
      if (dueAtMs.size < maxRemembered) dueAtMs.set(id, dueMs)
      return false
    }
    const journal = desk.open(id)
    const past = await journal.read()
    const state = foldSaga(past.map(({ event }) => event))
    const endedAtMs = past.at(-1)?.atMs ?? 0
    if (!isOver(state) || state.sealed) return false
    const hasBodies = journal.bodies() !== 'inline'
    await journal.seal((genesis) => sealSaga(state, { genesis, endedAtMs, hasBodies }))
    if (hasBodies) await journal.erase()
    dueAtMs.delete(id)
    remember(sealed, id)
    return true
  }
  const look = async (): Promise<readonly string[]> => {
    const done: string[] = []
    const pace = createPace(clock)
    for (const id of await desk.ids()) {
      if (stopped) break
      await pace()
      try {
        if (!desk.isBusy(id) && (await seal(id))) done.push(id)
      } catch (error) {
        // Damaged, or another instance sealed it just now: whoever looks for orphans tells of the first.
        if (!isMeshError(error) || error.code.startsWith('store.')) throw error
      }
    }
    for (const stream of await store.journal.streams(formatKeyPrefix(node.name)))
      if (!stopped) await trimTickets(store.journal, stream, (id) => desk.isKnownOver(id))
    return done
  }
  const schedule = (): void => {
    if (stopped || !Number.isFinite(keepEndedMs)) return
    const lookMs = Math.min(maxLookMs, Math.max(minLookMs, keepEndedMs / 10))
    cancelTimer = clock.setTimer(() => void lookAgain(), lookMs)
  }
  const lookAgain = async (): Promise<void> => {
    try {
      await look()
    } catch (error) {
      logger.warn('saga.compaction-failed', { error: error instanceof Error ? error.message : 'not an error' })
    }
    schedule()
  }
  return {
    sweep: () => (Number.isFinite(keepEndedMs) ? look() : Promise.resolve([])),
    begin() {
      cancelTimer()
      schedule()
    },
    stop() {
      stopped = true
      cancelTimer()
    },
  }
}

function remember(ids: Set<string>, id: string): void {
  if (ids.size < maxRemembered) ids.add(id)
}
