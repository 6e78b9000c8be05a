import { connect, type NatsConnection, type ServerInfo } from '@nats-io/transport-node'
import type { Transport, TransportStatus, Unsubscribe } from '@parley/ports'
import { isMeshError, MeshError } from '@parley/protocol'
import { formatServers, toConnectionOptions, type NatsOptions } from './nats-options.ts'
import { assertSubject } from './subject-syntax.ts'

// I1 Nothing is handed to the client while there is no connection: it would be lost without a word (T42).
// I2 Nothing is ever published to a subject that a message brought; reply subjects and headers are not even read (T44).
// I3 A listener that throws stops neither the reader of the connection nor other listeners.

/** What the server said of itself at the last connect. */
export interface NatsServerInfo {
  readonly name: string
  readonly version: string
  readonly jetstream: boolean
  /** The server's max_payload, for everything that one publish carries. */
  readonly maxPayloadBytes: number
}

/** A transport over one NATS connection. */
export interface NatsTransport extends Transport {
  readonly kind: 'nats'
  serverInfo(): NatsServerInfo
}

/** How long `close` waits for what was published to leave. */
const closeTimeoutMs = 1_000

/**
 * Connects to a NATS server and resolves with the transport. A connection that is lost later is dialled again, for ever
 * by default, with all subscriptions. Rejects with `transport.connect-failed` if the first dial fails.
 */
export async function connectNats(options: NatsOptions): Promise<NatsTransport> {
  const servers = formatServers(options)
  let connection: NatsConnection
  try {
    connection = await connect(toConnectionOptions(options))
  } catch (error) {
    throw connectFailure(servers, error)
  }
  return createNatsTransport(connection, servers)
}

function createNatsTransport(connection: NatsConnection, servers: string): NatsTransport {
  const listeners = new Set<{ readonly call: (status: TransportStatus) => void }>()
  let status: TransportStatus = 'connected'
  let info = readServerInfo(connection.info)

  const setStatus = (next: TransportStatus): void => {
    if (status === next || status === 'closed') return
    status = next
    if (next === 'connected' && connection.info) info = readServerInfo(connection.info)
    const told = [...listeners]
    for (const listener of told) listener.call(next)
  }
  const assertConnected = (): void => {
    if (status === 'closed') throw closedFailure(servers)
    if (status === 'disconnected')
      throw new MeshError('transport.disconnected', `There is no connection to ${servers}: nothing was sent.`)
  }
  const onStatus = (call: (status: TransportStatus) => void): Unsubscribe => {
    const listener = { call }
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }
  /** Waits for the server's answer to everything sent before; a connection that ends meanwhile never answers. */
  const flush = async (): Promise<void> => {
    const { promise: lost, reject } = Promise.withResolvers<never>()
    const stop = onStatus((next) => {
      if (next === 'closed') reject(closedFailure(servers))
      if (next === 'disconnected') reject(lostFailure(servers))
    })
    try {
      await Promise.race([connection.flush(), lost])
    } catch (error) {
      throw isMeshError(error) ? error : lostFailure(servers, error)
    } finally {
      stop()
    }
  }
  void watchStatus(connection, setStatus)

  return {
    kind: 'nats',
    get maxPayloadBytes(): number {
      return info.maxPayloadBytes
    },
    status: () => status,
    serverInfo: () => info,
    onStatus,
    publish(subject, data) {
      assertConnected()
      assertSubject('subject', subject)
      if (data.length > info.maxPayloadBytes)
        throw new MeshError(
          'transport.payload-too-large',
          `The payload has ${data.length} bytes, the server takes ${info.maxPayloadBytes}; send less or raise max_payload.`,
          { details: { bytes: data.length, maxPayloadBytes: info.maxPayloadBytes } },
        )
      // The client writes at the end of the turn; by then the caller may use its buffer again.
      connection.publish(subject, new Uint8Array(data))
    },
    async subscribe(pattern, onDelivery) {
      assertConnected()
      assertSubject('pattern', pattern)
      let refusal: Error | undefined
      const subscription = connection.subscribe(pattern, {
        callback: (error, message) => {
          if (error) refusal = error
          else handOver(() => onDelivery({ subject: message.subject, data: viewBytes(message.data) }))
        },
      })
      try {
        await flush()
      } catch (error) {
        subscription.unsubscribe()
        throw error
      }
      if (refusal)
        throw new MeshError('transport.not-permitted', `${servers} does not permit to subscribe to ${pattern}.`, {
          cause: refusal,
        })
      return () => {
        if (!subscription.isClosed()) subscription.unsubscribe()
      }
    },
    async flush() {
      assertConnected()
      await flush()
    },
    async close() {
      if (status === 'connected') await withinTime(flush(), closeTimeoutMs)
      await connection.close()
      setStatus('closed')
    },
  }
}

async function watchStatus(connection: NatsConnection, setStatus: (status: TransportStatus) => void): Promise<void> {
  for await (const event of connection.status()) {
    if (event.type === 'disconnect') setStatus('disconnected')
    else if (event.type === 'reconnect') setStatus('connected')
  }
  setStatus('closed')
}

/** A throwing listener is a defect of its owner: it surfaces as an uncaught exception, away from the client's reader. */
function handOver(deliver: () => void): void {
  try {
    deliver()
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}

/** The client hands over Node's `Buffer`, whose `slice` does not copy: whoever expects a `Uint8Array` would be surprised. */
function viewBytes(data: Uint8Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/** Waits for `work`, but neither longer than `timeoutMs` nor for its success. */
async function withinTime(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  await Promise.race([Promise.allSettled([work]), late])
  clearTimeout(timer)
}

function readServerInfo(info: ServerInfo | undefined): NatsServerInfo {
  if (!info) throw new MeshError('transport.connect-failed', 'The server did not say what it is; is it a NATS server?')
  return {
    name: info.server_name,
    version: info.version,
    jetstream: info.jetstream === true,
    maxPayloadBytes: info.max_payload,
  }
}

function closedFailure(servers: string): MeshError {
  return new MeshError('transport.closed', `The connection to ${servers} is closed; connect again.`)
}

function lostFailure(servers: string, cause?: unknown): MeshError {
  return new MeshError('transport.disconnected', `The connection to ${servers} was lost before the server answered.`, {
    cause,
  })
}

function connectFailure(servers: string, error: unknown): MeshError {
  const said = error instanceof Error && error.message !== '' ? error.message : 'no answer'
  const advice = /authori[sz]ation/i.test(said)
    ? 'check token, user or nkey'
    : 'start a nats-server there, or correct the URL'
  return new MeshError('transport.connect-failed', `Cannot connect to ${servers}: ${said}; ${advice}.`, {
    cause: error,
  })
}
