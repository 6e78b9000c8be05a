import { MeshError } from '@parley/protocol'

/** How one server of a broker brings JetStream writes to its disk. */
export interface BrokerSync {
  /** The server that said so. */
  readonly server: string
  /** Whether each write is synced before it is acknowledged (`sync_interval: always`). */
  readonly always: boolean
  /** How often it is synced otherwise; undefined for a server that does not tell, which is older than 2.10. */
  readonly intervalMs: number | undefined
}

const answerTimeoutMs = 5_000
const nanosecondsPerMs = 1_000_000

/**
 * Asks the monitoring port of a server (`http: 127.0.0.1:8222`) how it syncs; a NATS connection of a user cannot see it.
 * Rejects with `store.unavailable` where nothing answers as a nats-server with JetStream does.
 */
export async function readBrokerSync(monitorUrl: string): Promise<BrokerSync> {
  const url = new URL('/jsz', monitorUrl)
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(answerTimeoutMs) })
    const said: unknown = await answer.json()
    const config = fieldOf(said, 'config')
    const interval = fieldOf(config, 'sync_interval')
    const always = fieldOf(config, 'sync_always')
    const server = fieldOf(said, 'server_id')
    const intervalMs = typeof interval === 'number' ? interval / nanosecondsPerMs : undefined
    if (typeof config === 'object' && config !== null && typeof server === 'string')
      return { server, always: always === true, intervalMs }
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause
    throw unreadable(url, cause.message, cause)
  }
  throw unreadable(url, 'it tells of no JetStream', undefined)
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function unreadable(url: URL, why: string, cause: unknown): MeshError {
  return new MeshError('store.unavailable', `How the broker syncs cannot be read at ${url.origin}: ${why}.`, { cause })
}
