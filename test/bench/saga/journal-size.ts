import { setTimeout as delay } from 'node:timers/promises'
import { createNode, localIssuer } from '@parley/mesh'
import type { Store } from '@parley/ports'
import { createSagas, formatSagaStream, withLocalSteps, type Sagas } from '@parley/saga'
import { openSqliteStore } from '@parley/store-sqlite'
import { defineTrip, serveTrips, trips, tripSteps } from './trip.ts'

/**
 * Bytes of a completed saga's journal, the plan included, for each of its steps. The line of an entry that holds its bodies is
 * weighed apart.
 */
export interface JournalSize {
  readonly localStepBytes: number
  readonly localBodyBytes: number
  /** With the receipt of each step: the signed command and the signed answer. */
  readonly remoteStepBytes: number
  readonly remoteBodyBytes: number
}

interface Weight {
  readonly stepBytes: number
  readonly bodyBytes: number
}

const desk = 'bench/desk'
const agents = { flight: 'bench/flight', hotel: 'bench/hotel', charge: 'bench/charge' } as const

/** Runs the measured saga once with local and once with remote steps, and weighs what it left in its journal. */
export async function measureJournal(): Promise<JournalSize> {
  const local = await weighLocal()
  const remote = await weighRemote()
  return {
    localStepBytes: local.stepBytes,
    localBodyBytes: local.bodyBytes,
    remoteStepBytes: remote.stepBytes,
    remoteBodyBytes: remote.bodyBytes,
  }
}

async function weighLocal(): Promise<Weight> {
  const store = await openSqliteStore({ path: ':memory:' })
  await using node = await createNode({ name: desk, issuer: localIssuer('bench'), store })
  await node.start()
  const trip = defineTrip({ flight: desk, hotel: desk, charge: desk })
  await using sagas = createSagas(withLocalSteps(node, trips, serveTrips()), { definitions: [trip] })
  await run(sagas, trip)
  return await weigh(store)
}

async function weighRemote(): Promise<Weight> {
  const issuer = localIssuer('bench')
  await using stack = new AsyncDisposableStack()
  for (const name of Object.values(agents)) {
    const node = stack.use(await createNode({ name, issuer, serves: [trips] }))
    node.serve(trips, serveTrips())
    await node.start()
  }
  const store = await openSqliteStore({ path: ':memory:' })
  const node = stack.use(await createNode({ name: desk, issuer, store, calls: trips.capabilities }))
  const trip = defineTrip(agents)
  const sagas = stack.use(createSagas(node, { definitions: [trip] }))
  await node.start()
  await run(sagas, trip)
  await untilReceipts(store)
  return await weigh(store)
}

async function run(sagas: Sagas, trip: ReturnType<typeof defineTrip>): Promise<void> {
  const one = await sagas.start(trip, { to: 'SFO', end: 'completed' }, { id: 'weighed' })
  await one.result()
}

async function weigh(store: Store): Promise<Weight> {
  const entries = await store.journal.read(formatSagaStream(desk, 'weighed'))
  const each = (lengthOf: (data: Uint8Array) => number): number =>
    Math.round(entries.reduce((sum, { data }) => sum + lengthOf(data), 0) / tripSteps.length)
  const firstLine = (data: Uint8Array): number => (data.includes(lineFeed) ? data.indexOf(lineFeed) : data.length)
  return { stepBytes: each(firstLine), bodyBytes: each((data) => data.length - firstLine(data)) }
}

/** The last receipt comes when it comes. */
async function untilReceipts(store: Store): Promise<void> {
  for (const startMs = performance.now(); performance.now() - startMs < patienceMs; await delay(pollMs)) {
    const entries = await store.journal.read(formatSagaStream(desk, 'weighed'))
    const receipts = entries.filter(({ data }) => /"(?:receipt|evidence)"/.test(new TextDecoder().decode(data)))
    if (receipts.length >= tripSteps.length) return
  }
  throw new Error('the journal of remote steps has no receipts: there is nothing to weigh')
}

const lineFeed = 0x0a
const patienceMs = 5_000
const pollMs = 10
