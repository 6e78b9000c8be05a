import { join } from 'node:path'
import {
  findNatsServer,
  startNatsServer,
  type RunningNatsServer,
  type StartNatsServerOptions,
} from '@parley/nats-server'
import { openNatsStore, type NatsStore, type NatsStoreOptions } from '@parley/store-nats'
import { dialNats } from '@parley/transport-nats'

const cacheDir = join(import.meta.dirname, '../../.parley/cache')

/** Starts a server with JetStream that syncs each write. */
export async function startJetStream(
  options: Omit<StartNatsServerOptions, 'binary' | 'jetstream'> = {},
): Promise<RunningNatsServer> {
  return startNatsServer({ binary: await findNatsServer({ env: process.env, cacheDir }), jetstream: true, ...options })
}

/** Opens a store on a server, with waits that suit a test. */
export function openStore(
  servers: string | readonly string[],
  options: Partial<NatsStoreOptions> & Pick<NatsStoreOptions, 'name'>,
): Promise<NatsStore> {
  return openNatsStore({
    connect: () => dialNats({ servers, reconnectWaitMs: 20, connectTimeoutMs: 1_000 }),
    answerTimeoutMs: 1_000,
    ...options,
  })
}
