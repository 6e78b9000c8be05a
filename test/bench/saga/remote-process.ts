import { join } from 'node:path'
import { createNode } from '@parley/mesh'
import { createSagas } from '@parley/saga'
import { openSqliteStore } from '@parley/store-sqlite'
import { serveBench } from '../bench-process.ts'
import { openBenchIssuer } from '../hop/parley-mesh.ts'
import { openBenchStore } from './bench-store.ts'
import { measureSagas } from './measure-sagas.ts'
import { assertEnd, defineTrip, trips, type TripEnd } from './trip.ts'

// The orchestrator of remote steps: one process, its store, and three participants elsewhere.

const [, , url = '', dir = '', end = ''] = process.argv
const { store, durability } = await openBenchStore(await openSqliteStore({ path: join(dir, 'desk.db') }), '')
await using node = await createNode({
  name: 'bench/desk',
  issuer: await openBenchIssuer(dir),
  calls: trips.capabilities,
  bulkheads: { perPeer: 512, perCapability: 512 },
  store,
  nats: url,
})
await node.start()
const trip = defineTrip({ flight: 'bench/flight', hotel: 'bench/hotel', charge: 'bench/charge' })
await using sagas = createSagas(node, { definitions: [trip] })
let started = 0
const work = async (): Promise<void> => {
  const run = await sagas.start(trip, { to: 'SFO', end: end as TripEnd }, { id: `trip-${String(started++)}` })
  await assertEnd(run.result(), end as TripEnd)
}
await serveBench({
  measure: (inFlight, durationMs) => measureSagas(work, inFlight, durationMs),
  facts: () => ({ sagas: started }),
  describe: durability,
})
