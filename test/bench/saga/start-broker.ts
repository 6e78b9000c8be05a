import { startNatsServer, type NatsServerBinary } from '@parley/nats-server'
import type { BenchBroker } from './bench-store.ts'
import { findFreePort } from './free-port.ts'

/** A nats-server with JetStream that syncs each write, and its monitoring port. */
export async function startBroker(binary: NatsServerBinary): Promise<BenchBroker & AsyncDisposable> {
  const port = await findFreePort()
  const server = await startNatsServer({
    binary,
    jetstream: true,
    config: `http: "127.0.0.1:${String(port)}"`,
  })
  return {
    url: server.url,
    monitor: `http://127.0.0.1:${String(port)}`,
    [Symbol.asyncDispose]: () => server.stop(),
  }
}
