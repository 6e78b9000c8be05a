import { openFileIssuer } from '@parley/identity'
import { createNode } from '@parley/mesh'
import { createSystemClock, createSystemRandom, type Journal, type Store } from '@parley/ports'
import { isMeshError } from '@parley/protocol'
import { createSagas, formatSagaPrefix, shareSagas } from '@parley/saga'
import { openSqliteStore } from '@parley/store-sqlite'
import { drawSaga } from '../sim/draw-saga.ts'
import { trips } from '../sim/trip-contract.ts'
import { openSharedStore } from './broker.ts'
import { sagaRandom } from './chaos-plan.ts'
import type { Asked, Line } from './line.ts'
import { databaseFile, deskName, issuerFolder, type ProcessSetup } from './setup.ts'

const clock = createSystemClock()
const random = createSystemRandom()
const ends: ReadonlySet<unknown> = new Set(['completed', 'compensated', 'stuck', 'aborted'])
/** What the first entry of an append is when its writer does not say that it owns the saga already. */
const claims: ReadonlySet<unknown> = new Set(['started', 'owned'])

/** Runs an instance of the orchestrator in this process; resolves once it drives what nobody drove. */
export async function openDesk(
  { name, plan, folder, urls }: ProcessSetup,
  line: Line,
): Promise<(asked: Asked) => Promise<void>> {
  const issuer = await openFileIssuer({ dir: issuerFolder(folder), clock, random })
  const own = await openSqliteStore({ path: databaseFile(folder, name) })
  const store = plan.stage === 'sqlite' ? own : shareSagas(own, await openSharedStore(urls, plan.stage))
  const node = await createNode({
    name: deskName,
    issuer,
    calls: trips.capabilities,
    nats: { servers: [...urls], reconnectWaitMs: 50 },
    heartbeatMs: 300,
    store: { ...store, journal: watchJournal(store.journal, line) } satisfies Store,
    onRecord(record) {
      if (record.kind === 'saga' && ends.has(record['event']) && typeof record['saga'] === 'string')
        line.tell({ tell: 'ended', saga: record['saga'] })
    },
  })
  await node.start()
  const definitions = plan.sagas.map(({ id }, at) => drawSaga(sagaRandom(plan, at), id))
  const sagas = createSagas(node, { definitions, leaseMs: plan.leaseMs })
  await sagas.resume()
  return async ({ what, saga = '' }) => {
    const definition = definitions[plan.sagas.findIndex(({ id }) => id === saga)]
    if (what === 'start' && definition) await sagas.start(definition, { trip: saga }, { id: saga })
    if (what === 'look') {
      const { view } = await sagas.show(saga)
      if (ends.has(view.status)) line.tell({ tell: 'ended', saga })
    }
    if (what === 'close') {
      await sagas.close()
      await node.close()
      await store.close()
    }
  }
}

/** The points of death beside each append, and the word of a journal that refused one. */
function watchJournal(journal: Journal, line: Line): Journal {
  const prefix = formatSagaPrefix(deskName)
  const watch =
    (how: 'append' | 'compact'): Journal['append'] =>
    async (stream, expectedLast, entries) => {
      if (!stream.startsWith(prefix)) return journal[how](stream, expectedLast, entries)
      await line.pass('before-append')
      try {
        const position = await journal[how](stream, expectedLast, entries)
        await line.pass('after-append')
        return position
      } catch (error) {
        const isConflict = isMeshError(error) && error.code === 'store.position-conflict'
        const [first] = entries
        if (isConflict && first && !claims.has(readType(first)))
          line.tell({ tell: 'stale-append', saga: stream.slice(prefix.length) })
        throw error
      }
    }
  return {
    append: watch('append'),
    compact: watch('compact'),
    read: (stream, from, limit) => journal.read(stream, from, limit),
    last: (stream) => journal.last(stream),
    streams: (wanted) => journal.streams(wanted),
  }
}

function readType(entry: Uint8Array): unknown {
  const { event } = JSON.parse(new TextDecoder().decode(entry)) as { readonly event?: { readonly type?: unknown } }
  return event?.type
}
