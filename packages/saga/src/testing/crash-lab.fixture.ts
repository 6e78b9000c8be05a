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
  /** How many points the last process passed; more than the last crash point means that all of them were met. */
  readonly points: readonly number[]
}

class Crash extends Error {}

/**
 * Runs a saga in processes of which each dies at its crash point: before or after a journal append, before a command
 * reaches its participant, before the reply comes back. The last process runs to the end. A process that died hears and
 * writes nothing any more; the next one has only the store.
 */
export async function runWithCrashes(
  definition: SagaDefinition<Trip>,
  crashAt: readonly number[],
  prepare: (agents: TripAgents) => void = () => undefined,
): Promise<CrashedSaga> {
  const clock = createInstantClock()
  const mesh = createFakeMesh()
  const agents = serveTrips(mesh, clock)
  prepare(agents)
  const store = createMemoryStore()
  const points: number[] = []
  for (const [life, limit] of [...crashAt, Infinity].entries()) {
    const died = Promise.withResolvers<undefined>()
    let passed = 0
    let dead = false
    const pass = (): void => {
      if (dead) throw new Crash()
      if (passed++ < limit) return
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
    const sagas = createSagas(node, { definitions: [definition] })
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
    points.push(passed)
    await sagas.close()
    if (ended) return { view: ended, agents, store, mesh, points }
  }
  throw new TypeError('the last process has no crash point')
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
