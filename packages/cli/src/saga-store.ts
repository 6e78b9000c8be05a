import { createSystemClock, createSystemRandom, type Store } from '@parley/ports'
import { isAgentName, isMeshError, MeshError, type AgentName } from '@parley/protocol'
import {
  createStoredDataKeys,
  describeSaga,
  foldSaga,
  formatSagaPrefix,
  openSagaJournal,
  type JournaledEvent,
  type SagaJournal,
  type SagaView,
} from '@parley/saga'

/** One saga of a store, as far as it can be read. */
export interface KeptSaga {
  readonly agent: AgentName
  readonly id: string
  readonly events: readonly JournaledEvent[]
  readonly view?: SagaView
  /** Why it cannot be read. */
  readonly error?: MeshError
}

/** Reads the sagas of a store, of every agent that has some there, or of one. What is damaged is told as such. */
export async function readSagas(store: Store, agent?: AgentName): Promise<readonly KeptSaga[]> {
  const prefix = agent === undefined ? 'saga/' : formatSagaPrefix(agent)
  const sagas: KeptSaga[] = []
  for (const stream of await store.journal.streams(prefix)) {
    const [, owner, name, id] = stream.split('/')
    const whose = `${owner ?? ''}/${name ?? ''}`
    if (!isAgentName(whose) || id === undefined) continue
    try {
      const events = await openKeptJournal(store, stream).read()
      sagas.push({ agent: whose, id, events, view: describeSaga(foldSaga(events.map(({ event }) => event))) })
    } catch (error) {
      if (!isMeshError(error) || error.code.startsWith('store.')) throw error
      sagas.push({ agent: whose, id, events: [], error })
    }
  }
  return sagas
}

/** Opens the journal of a saga with what a store keeps beside it: large bodies, and data keys if they are there. */
export function openKeptJournal(store: Store, stream: string): SagaJournal {
  const { journal, keyValue } = store
  const random = createSystemRandom()
  const dataKeys = createStoredDataKeys(keyValue, random)
  return openSagaJournal(journal, stream, { clock: createSystemClock(), random }, { keyValue, dataKeys })
}

/** Finds one saga. Rejects with `saga.unknown`, and with `cli.usage` where several agents have one of this id. */
export async function findSaga(store: Store, id: string, agent?: AgentName): Promise<KeptSaga> {
  const found = (await readSagas(store, agent)).filter((saga) => saga.id === id)
  const [first, second] = found
  if (!first) throw new MeshError('saga.unknown', `the store has no saga "${id}": parley saga list shows them`)
  if (second) throw new MeshError('cli.usage', `${first.agent} and ${second.agent} have a saga "${id}": give --of`)
  return first
}
