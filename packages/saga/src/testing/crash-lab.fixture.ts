import type { Store } from '@parley/ports'
import type { SagaDefinition } from '../definition/define-saga.ts'
import { createSagas } from '../runner/create-sagas.ts'
import type { SagaView } from '../runner/describe-saga.ts'
import { createFakeMesh, type FakeMesh } from './fake-mesh.fixture.ts'
import { createInstantClock } from './instant-clock.fixture.ts'
import { createMemoryStore, type MemoryStore } from './memory-store.fixture.ts'
import { serveTrips, type TripAgents } from './trip-agents.fixture.ts'
import type { Trip } from './trip-contract.fixture.ts'

/** How a saga ended that was crashed on its way. */
export interface CrashedSaga {
  readonly view: SagaView
  readonly agents: TripAgents
  readonly store: MemoryStore
  readonly mesh: FakeMesh
  /** How many points were passed until each death, and from the last one to the end. */
  readonly points: readonly number[]
}

/** Short, so that few looks pass until the next life takes over. */
const leaseMs = 100

class Crash extends Error {}

/**
 * Runs a saga while processes die, each at its crash point, counted from the death before it: the orchestrator's before or
 * after a journal append, before a command leaves, before its reply is heard; a participant's before its transaction, before
 * its commit, after it. An orchestrator that died hears and writes nothing any more; the next one has only the store. What a
 * participant was doing when it died is unknown to its caller; its next life has only the database.
 */
export async function runWithCrashes(
  definition: SagaDefinition<Trip>,
  crashAt: readonly number[],
  prepare: (agents: TripAgents) => void = () => undefined,
): Promise<CrashedSaga> {
  const clock = createInstantClock()
  const mesh = createFakeMesh()
  const limits = [...crashAt]
  const points: number[] = []
  let passed = 0
  const strikes = (): boolean => {
    if (passed++ < (limits[0] ?? Infinity)) return false
    limits.shift()
    points.push(passed)
    passed = 0
    return true
  }
  const agents = serveTrips(mesh, clock, undefined, () => {
    if (strikes()) throw new Crash()
  })
  prepare(agents)
  const store = createMemoryStore()
  for (let life = 1; ; life++) {
    const died = Promise.withResolvers<undefined>()
    let dead = false
    const pass = (): void => {
      if (!dead && !strikes()) return
      dead = true
      died.resolve(undefined)
      throw new Crash()
    }
    const node = mesh.createNode({
      name: 'acme/travel',
      instance: `did:key:zLife${life}`,
      clock,
      store: crashing(store, pass, () => dead),
      around: async (_call, deliver) => {
        pass()
        const outcome = await deliver()
        pass()
        return outcome
      },
    })
    const sagas = createSagas(node, { definitions: [definition], leaseMs })
    const run = async (): Promise<SagaView> => {
      await sagas.resume()
      const begun = await sagas.start(definition, { from: 'SFO', to: 'LIS' }, { id: 'trip-1' })
      return begun.settled()
    }
    const ended = await Promise.race([
      run().catch((error: unknown) => {
        if (dead) return undefined
        throw error
      }),
      died.promise,
    ])
    await sagas.close()
    if (ended) return { view: ended, agents, store, mesh, points: [...points, passed] }
  }
}

function crashing(store: MemoryStore, pass: () => void, isDead: () => boolean): Store {
  const { keyValue } = store
  return {
    ...store,
    // A dead process says nothing more, not even that it is gone: its lease lapses.
    keyValue: {
      ...keyValue,
      put: (...given) => (isDead() ? Promise.reject(new Crash()) : keyValue.put(...given)),
      delete: (key) => (isDead() ? Promise.reject(new Crash()) : keyValue.delete(key)),
    },
    journal: {
      ...store.journal,
      async append(stream, expectedLast, entries) {
        pass()
        const position = await store.journal.append(stream, expectedLast, entries)
        pass()
        return position
      },
    },
  }
}
