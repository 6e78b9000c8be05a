import type { Clock } from '@parley/ports'
import type { AgentName } from '@parley/protocol'
import type { SagaDefinition } from '../definition/define-saga.ts'
import type { SagaEvent } from '../kernel/saga-event.ts'
import { onTestFinished } from 'vitest'
import { peekEvent } from '../journal/journal-format.ts'
import { createSagas } from '../runner/create-sagas.ts'
import type { Sagas, SagasOptions } from '../runner/sagas.ts'
import { createFakeMesh, type FakeMesh } from './fake-mesh.fixture.ts'
import { createInstantClock } from './instant-clock.fixture.ts'
import { createMemoryStore, type MemoryStore } from './memory-store.fixture.ts'
import { serveTrips, type TripAgents } from './trip-agents.fixture.ts'

/** A bus with trip agents, a store, and as many orchestrators over it as a test wants. */
export interface TripLab {
  readonly clock: Clock
  readonly mesh: FakeMesh
  readonly agents: TripAgents
  readonly store: MemoryStore
  orchestrator(
    definitions: readonly SagaDefinition[],
    instance?: string,
    other?: { readonly store?: MemoryStore; readonly clock?: Clock } & Omit<SagasOptions, 'definitions'>,
  ): Sagas
  /** Closes every orchestrator that was made so far. */
  closeAll(): Promise<void>
  /** The events in the journal of a saga, as they were written. */
  journal(id: string): readonly SagaEvent[]
}

/** Creates a lab; time passes at once unless another clock is given. */
export function createTripLab(
  clock: Clock = createInstantClock(),
  names: readonly AgentName[] = ['acme/trips'],
): TripLab {
  const mesh = createFakeMesh()
  const agents = serveTrips(mesh, clock, names)
  const store = createMemoryStore()
  const made: Sagas[] = []
  return {
    clock,
    mesh,
    agents,
    store,
    orchestrator(definitions, instance = 'did:key:zOne', other = {}) {
      const { store: own = store, clock: time = clock, ...options } = other
      const node = mesh.createNode({ name: 'acme/travel', store: own, clock: time, instance })
      const sagas = createSagas(node, { ...options, definitions })
      made.push(sagas)
      onTestFinished(() => sagas.close())
      return sagas
    },
    async closeAll() {
      for (const sagas of made.splice(0)) await sagas.close()
    },
    journal: (id) => (store.streams.get(`saga/acme/travel/${id}`) ?? []).map(peekEvent),
  }
}
