import { setTimeout as pause } from 'node:timers/promises'
import { connect, type Msg, type NatsConnection, type ServerInfo, type Subscription } from '@nats-io/transport-node'
import type { Delivery, Transport, TransportStatus, Unsubscribe } from '@parley/ports'
import { assertPattern, assertSubject, isMeshError, MeshError } from '@parley/protocol'
import { closedFailure, connectFailure, lostFailure, notPermitted } from './nats-failure.ts'
import { formatServiceAnswer, isOperationsInbox, listServiceSubjects, type NatsService } from './nats-service.ts'
import { defaultConnectTimeoutMs, formatServers, toConnectionOptions, type NatsOptions } from './nats-options.ts'
import { createOverlap, type Overlap } from './overlap.ts'

// I1 Nothing is handed to the client while there is no connection: it would be lost without a word (T42).
// I2 Nothing is published to a subject that a message brought (T44), except an answer of the services API to the
//    operations inbox, where nobody believes anything.
// I3 A listener that throws stops neither the reader of the connection nor other listeners.
// I4 A renewal loses nothing and hands nothing over twice: the second connection listens before the first one ends.
// I5 The server's "no responders" is handed on only where a fence keeps others from saying it (T43).

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
  /**
   * Logs in again, with the token of the moment, over a second connection, and moves everything there. Rejects with
   * `transport.connect-failed` or `transport.disconnected`; the first connection is then used on.
   */
  renew(): Promise<void>
  /**
   * Answers the NATS services API with what `describe` says at the time, so that `nats micro ls` sees this instance. Answers
   * go to the operations inbox alone. Rejects as `subscribe` does.
   */
  answerServices(describe: () => NatsService): Promise<Unsubscribe>
}

/** How long `close` waits for what was published to leave. */
const closeTimeoutMs = 1_000
/** How long both connections of a renewal listen: far more than a cluster needs to tell all its servers who listens. */
const lingerMs = 100

/**
 * Connects to a NATS server and resolves with the transport. A connection that is lost later is dialled again, for ever
 * by default, with all subscriptions. Rejects with `transport.connect-failed` if the first dial fails.
 */
export async function connectNats(options: NatsOptions): Promise<NatsTransport> {
  return createNatsTransport(await dialNats(options), options)
}

/**
 * Connects to a NATS server as a transport does, for what speaks to the broker itself, a store above all. The connection is
 * the caller's. Rejects with `transport.connect-failed`.
 */
export async function dialNats(options: NatsOptions): Promise<NatsConnection> {
  try {
    return await connect(toConnectionOptions(options))
  } catch (error) {
    throw connectFailure(formatServers(options), error)
  }
}

/** What a subscription of the transport is on the connection of the moment. */
interface Listening {
  readonly pattern: string
  readonly onMessage: (delivery: Delivery, message: Msg) => void
  live?: Subscription
  overlap?: Overlap
}

function createNatsTransport(first: NatsConnection, options: NatsOptions): NatsTransport {
  const servers = formatServers(options)
  const believesBounces = options.believesBounces ?? options.nkey !== undefined
  const listeners = new Set<{ readonly call: (status: TransportStatus) => void }>()
  const listening = new Set<Listening>()
  let connection = first
  let status: TransportStatus = 'connected'
  let info = readServerInfo(connection.info)
  let renewing: Promise<void> = Promise.resolve()

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
  const flush = async (over: NatsConnection): Promise<void> => {
    const { promise: lost, reject } = Promise.withResolvers<never>()
    const stop = onStatus((next) => {
      if (next === 'closed') reject(closedFailure(servers))
      if (next === 'disconnected') reject(lostFailure(servers))
    })
    try {
      await Promise.race([over.flush(), lost])
    } catch (error) {
      throw isMeshError(error) ? error : lostFailure(servers, error)
    } finally {
      stop()
    }
  }
  /** Follows a connection for as long as it is the one of the transport. */
  const watch = async (watched: NatsConnection): Promise<void> => {
    for await (const event of watched.status()) {
      if (watched !== connection) continue
      if (event.type === 'disconnect') setStatus('disconnected')
      else if (event.type === 'reconnect') setStatus('connected')
    }
    if (watched === connection) setStatus('closed')
  }
  const listen = (over: NatsConnection, to: Listening, refuse: (error: Error) => void): Subscription =>
    over.subscribe(to.pattern, {
      callback: (error, message) => {
        if (error) refuse(error)
        else if (to.overlap?.admits(over, message.subject, message.data) ?? true) {
          const bounced = believesBounces && isBounce(message)
          const { subject } = message
          const data = viewBytes(message.data)
          handOver(to, bounced ? { subject, data, isBounce: true } : { subject, data }, message)
        }
      },
    })
  /** Waits for the server's answer on a connection that is not watched, and no longer than for a dial. */
  const answered = async (over: NatsConnection): Promise<void> => {
    const timeoutMs = options.connectTimeoutMs ?? defaultConnectTimeoutMs
    if (!(await withinTime(over.flush(), timeoutMs))) throw lostFailure(servers)
  }
  /** Moves to a second connection; the first one ends when the second one listens to everything. */
  const move = async (): Promise<void> => {
    assertConnected()
    const next = await dialNats(options)
    const leaving = connection
    const moved = [...listening]
    const lives = new Map<Listening, Subscription>()
    try {
      let refusal: Error | undefined
      for (const each of moved) {
        each.overlap = createOverlap(leaving)
        lives.set(
          each,
          listen(next, each, (error) => {
            refusal = error
          }),
        )
      }
      await answered(next)
      // What was routed before the second connection listened is on its way over the first one alone, and other servers of
      // a cluster hear of the second one later.
      await pause(lingerMs)
      await withinTime(leaving.flush(), closeTimeoutMs)
      if (refusal) throw notPermitted(servers, 'what it listened to before', refusal)
      // Nobody watches the second connection yet: its last answer is what says that it still stands.
      await answered(next)
      assertConnected()
    } catch (error) {
      for (const each of moved) delete each.overlap
      await next.close()
      throw isMeshError(error) ? error : lostFailure(servers, error)
    }
    connection = next
    if (next.info) info = readServerInfo(next.info)
    void watch(next)
    for (const [each, live] of lives) {
      each.live?.unsubscribe()
      each.live = live
      if (!listening.has(each)) live.unsubscribe()
    }
    // Now the other copies come. What was published over the first connection leaves before it ends.
    await pause(lingerMs)
    await withinTime(Promise.all([leaving.flush(), next.flush()]), closeTimeoutMs)
    for (const each of moved) delete each.overlap
    await leaving.close()
  }
  const listenTo = async (pattern: string, onMessage: Listening['onMessage']): Promise<Unsubscribe> => {
    await renewing
    assertConnected()
    assertPattern(pattern)
    let refusal: Error | undefined
    const over = connection
    const each: Listening = { pattern, onMessage }
    each.live = listen(over, each, (error) => {
      refusal = error
    })
    listening.add(each)
    const stop = (): void => {
      listening.delete(each)
      if (each.live?.isClosed() === false) each.live.unsubscribe()
    }
    try {
      await flush(over)
    } catch (error) {
      stop()
      throw error
    }
    if (refusal) {
      stop()
      throw notPermitted(servers, pattern, refusal)
    }
    return stop
  }
  void watch(connection)

  return {
    kind: 'nats',
    get maxPayloadBytes(): number {
      return info.maxPayloadBytes
    },
    status: () => status,
    serverInfo: () => info,
    onStatus,
    publish(subject, data, bounceTo) {
      assertConnected()
      assertSubject(subject)
      if (bounceTo !== undefined) assertSubject(bounceTo)
      if (data.length > info.maxPayloadBytes)
        throw new MeshError(
          'transport.payload-too-large',
          `The payload has ${data.length} bytes, the server takes ${info.maxPayloadBytes}; send less or raise max_payload.`,
          { details: { bytes: data.length, maxPayloadBytes: info.maxPayloadBytes } },
        )
      // The client writes at the end of the turn; by then the caller may use its buffer again.
      if (bounceTo === undefined || !believesBounces) connection.publish(subject, new Uint8Array(data))
      else connection.publish(subject, new Uint8Array(data), { reply: bounceTo })
    },
    subscribe: (pattern, onDelivery) => {
      const onMessage = (delivery: Delivery): void => {
        onDelivery(delivery)
      }
      return listenTo(pattern, onMessage)
    },
    async answerServices(describe) {
      const stops: Unsubscribe[] = []
      const stopAll = (): void => {
        for (const stop of stops) stop()
      }
      try {
        for (const [subject, verb] of listServiceSubjects(describe()))
          stops.push(
            await listenTo(subject, (_, { reply }) => {
              if (!isOperationsInbox(reply) || status !== 'connected' || connection.isClosed()) return
              const answer = new TextEncoder().encode(formatServiceAnswer(verb, describe()))
              if (answer.length <= info.maxPayloadBytes) connection.publish(reply, answer)
            }),
          )
      } catch (error) {
        stopAll()
        throw error
      }
      return stopAll
    },
    async flush() {
      assertConnected()
      await flush(connection)
    },
    renew() {
      const renewed = renewing.then(move)
      renewing = renewed.catch(() => undefined)
      return renewed
    },
    async close() {
      await renewing
      if (status === 'connected') await withinTime(flush(connection), closeTimeoutMs)
      await connection.close()
      setStatus('closed')
    },
  }
}

/** The server's word that nobody listens: no bytes, and the status 503. */
function isBounce({ data, headers }: Msg): boolean {
  return data.length === 0 && headers?.code === 503
}

/** A throwing listener is a defect of its owner: it surfaces as an uncaught exception, away from the client's reader. */
function handOver({ onMessage }: Listening, delivery: Delivery, message: Msg): void {
  try {
    onMessage(delivery, message)
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

/** Waits for `work`, but no longer than `timeoutMs`, and tells whether it was done by then. */
async function withinTime(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, false)
  })
  const done = work.then(
    () => true,
    () => false,
  )
  const inTime = await Promise.race([done, late])
  clearTimeout(timer)
  return inTime
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
