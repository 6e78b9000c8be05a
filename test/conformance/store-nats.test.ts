import { storeConformance } from '@parley/conformance'
import type { RunningNatsServer } from '@parley/nats-server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStore, startJetStream } from '../nats/broker-store.ts'

let server: RunningNatsServer
let count = 0
beforeAll(async () => {
  server = await startJetStream()
})
afterAll(() => server.stop())

storeConformance({ describe, it, expect }, 'store-nats', async () => {
  const name = `conformance-${count++}`
  let store = await openStore(server.url, { name })
  return {
    store,
    async reopen() {
      await store.close()
      store = await openStore(server.url, { name, provision: 'verify' })
      return store
    },
    dispose: () => store.close(),
  }
})
