import { join } from 'node:path'
import { createNode, localIssuer } from '@parley/mesh'
import { createSagas, withLocalSteps } from '@parley/saga'
import { openSqliteStore } from '@parley/store-sqlite'
import { serveBench } from '../bench-process.ts'
import { measureSagas } from './measure-sagas.ts'
import { openBenchStore } from './bench-store.ts'
import { assertEnd, defineTrip, serveTrips, trips, type TripEnd } from './trip.ts'

// One process: the orchestrator, its sagas' steps, and its store.

const [, , dir = '', end = '', broker = ''] = process.argv
const own = await openSqliteStore({ path: join(dir, 'node.db') })
const { store, durability } = await openBenchStore(own, broker)
await using node = await createNode({ name: 'bench/desk', issuer: localIssuer('bench'), store })
const serves = serveTrips()
await node.start()
const trip = defineTrip({ flight: node.name, hotel: node.name, charge: node.name })
await using sagas = createSagas(withLocalSteps(node, trips, serves), { definitions: [trip] })
let started = 0
const work = async (): Promise<void> => {
  const run = await sagas.start(trip, { to: 'SFO', end: end as TripEnd }, { id: `trip-${String(started++)}` })
  await assertEnd(run.result(), end as TripEnd)
}
await serveBench({
  measure: (inFlight, durationMs) => measureSagas(work, inFlight, durationMs),
  describe: durability,
})
