import { join } from 'node:path'
import { createNode, type Outcome } from '@parley/mesh'
import { createSagas } from '@parley/saga'
import { z } from 'zod'
import { flights, hotels, payments } from '../trip/contracts.ts'
import { tripInput } from '../trip/trip.ts'
import { tripSaga } from '../trip/trip-saga.ts'
import type { OpenAgent } from './agent.ts'

/** What the concierge expects of a balance that it asks for, in milliseconds. */
export const balanceLatencyMs = 500

/** How long the next instance waits for a sign of life of the one before, in milliseconds: shorter than anybody watches. */
const leaseMs = 1_000

/** Opens the orchestrator. It goes on with every saga of its name that an instance before it left unfinished. */
export const openConcierge: OpenAgent = async ({ name, natsUrl, folder, anchors, delegation }, link) => {
  const node = await createNode({
    name,
    ...link,
    anchors,
    nats: natsUrl,
    data: join(folder, 'store.sqlite'),
    calls: [flights.reserve, flights.upgrade, hotels.reserve, payments.charge, payments.balance],
    objectives: [{ capability: 'payments:balance', target: 0.99, latencyMs: balanceLatencyMs }],
  })
  await node.start()
  const sagas = createSagas(node, { definitions: [tripSaga], leaseMs: leaseMs })
  await sagas.resume()
  return {
    commands: {
      async book(argument) {
        const trip = tripInput.parse(argument)
        await sagas.start(tripSaga, trip, { id: trip.id, delegation })
      },
      /** Answers with the status in which a saga ended. */
      async settle(argument) {
        const run = await sagas.attach(z.string().parse(argument))
        return (await run.settled()).status
      },
      async upgrade(argument) {
        const traveller = z.string().parse(argument)
        return tell(await node.tryCall(flights.upgrade, { traveller }, { to: 'acme/flights', delegation }))
      },
      async balance(argument) {
        const card = z.string().parse(argument)
        return tell(await node.tryCall(payments.balance, { card }, { to: 'acme/payments', delegation }))
      },
    },
    async close() {
      await sagas.close()
      await node.close()
    },
  }
}

function tell<Output, Declared>(outcome: Outcome<Output, Declared>): { readonly kind: string; readonly code?: string } {
  return { kind: outcome.kind, ...('code' in outcome ? { code: outcome.code } : {}) }
}
