import { errors, RequestError, type NatsConnection } from '@nats-io/nats-core'
import { JetStreamApiError } from '@nats-io/jetstream'
import type { Clock } from '@parley/ports'
import { MeshError } from '@parley/protocol'

// I1 Nothing is handed to the client while there is no connection: it would be lost without a word (T42).
// I2 Silence is no answer: what was sent and not answered may have been done (T1).

/** What became of one request to the broker. */
export type Exchange<Answer> =
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** The broker said no, with a code of JetStream or by its permissions. */
  | { readonly kind: 'refused'; readonly code: number; readonly error: Error }
  /** Nobody received it: there was no connection, or the broker said that nobody listens. */
  | { readonly kind: 'undelivered'; readonly why: string }
  /** It was sent and nothing came back. */
  | { readonly kind: 'silent'; readonly why: string }

/** A connection to a broker that tells what it knows of each request, and no more. */
export interface JetLink {
  isConnected(): boolean
  /** Performs one request. Rejects only with what is no word of the broker. */
  exchange<Answer>(request: () => Promise<Answer>): Promise<Exchange<Answer>>
  /**
   * Repeats a request that changes nothing until it is answered, for as long as `patienceMs`. Rejects with
   * `store.unavailable`, at once while there is no connection.
   */
  ask<Answer>(doing: string, request: () => Promise<Answer>): Promise<Answer>
  /** Waits for the next try, or for the connection; false once the time is over or the link is closed. */
  pause(attempt: number, deadlineMs: number): Promise<boolean>
  /** When a try that begins now is given up, on the monotonic clock. */
  deadline(): number
  /** Calls back after each reconnect. */
  onReconnect(call: () => void): void
  close(): Promise<void>
}

const firstPauseMs = 20
const maxPauseMs = 1_000

/** Takes over a connection. */
export function createJetLink(connection: NatsConnection, clock: Clock, patienceMs: number): JetLink {
  let connected = !connection.isClosed()
  let closed = false
  const waiters = new Set<() => void>()
  const running = new Set<(why: string) => void>()
  const reconnected: (() => void)[] = []
  const wake = (): void => {
    for (const waiter of waiters) waiter()
  }
  const lose = (why: string): void => {
    connected = false
    for (const silence of running) silence(why)
  }
  const watch = async (): Promise<void> => {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect') lose('the connection was lost')
      if (type === 'reconnect') {
        connected = true
        for (const call of reconnected) call()
        wake()
      }
    }
    closed = true
    lose('the connection was closed')
    wake()
  }
  void watch()

  const exchange = async <Answer>(request: () => Promise<Answer>): Promise<Exchange<Answer>> => {
    if (!connected || closed) return { kind: 'undelivered', why: 'there is no connection to the broker' }
    const lost = Promise.withResolvers<Exchange<Answer>>()
    const silence = (why: string): void => {
      lost.resolve({ kind: 'silent', why })
    }
    running.add(silence)
    try {
      return await Promise.race([
        lost.promise,
        request().then((answer): Exchange<Answer> => ({ kind: 'answered', answer }), classify),
      ])
    } finally {
      running.delete(silence)
    }
  }
  const pause = async (attempt: number, deadlineMs: number): Promise<boolean> => {
    const leftMs = deadlineMs - clock.monotonic()
    if (leftMs <= 0 || closed) return false
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const waiter = (): void => {
      resolve(undefined)
    }
    // While there is no connection only its return, or the end of the time, changes anything.
    const cancel = clock.setTimer(
      waiter,
      connected ? Math.min(leftMs, firstPauseMs * 2 ** attempt, maxPauseMs) : leftMs,
    )
    waiters.add(waiter)
    await promise
    waiters.delete(waiter)
    cancel()
    return !closed && clock.monotonic() < deadlineMs
  }
  const deadline = (): number => clock.monotonic() + patienceMs
  return {
    isConnected: () => connected && !closed,
    exchange,
    pause,
    deadline,
    async ask(doing, request) {
      const untilMs = deadline()
      for (let attempt = 0; ; attempt++) {
        const given = await exchange(request)
        if (given.kind === 'answered') return given.answer
        if (given.kind === 'refused') throw unavailable(doing, given.error.message, given.error)
        if (!(attempt === 0 && !connected) && (await pause(attempt, untilMs))) continue
        throw unavailable(doing, given.why)
      }
    },
    onReconnect: (call) => {
      reconnected.push(call)
    },
    async close() {
      await connection.close()
    },
  }
}

/** Says that the broker did not do something, for sure. */
export function unavailable(doing: string, why: string, cause?: unknown): MeshError {
  return new MeshError('store.unavailable', `${doing}: ${why}.`, { cause })
}

function classify(error: unknown): Exchange<never> {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof JetStreamApiError) return { kind: 'refused', code: cause.code, error: cause }
    if (cause instanceof RequestError && cause.isNoResponders())
      return { kind: 'undelivered', why: 'no JetStream answers: it is off here, or its leader is being elected' }
    if (cause instanceof errors.PermissionViolationError) return { kind: 'refused', code: 0, error: cause }
  }
  if (error instanceof errors.TimeoutError) return { kind: 'silent', why: 'no answer in time' }
  if (error instanceof errors.ClosedConnectionError || error instanceof errors.DrainingConnectionError)
    return { kind: 'silent', why: 'the connection was closed' }
  if (error instanceof RequestError) return { kind: 'silent', why: error.message }
  throw error
}
