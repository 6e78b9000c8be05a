import type { Clock, Journal, KeyValue, Store } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import type { BrokerSync } from './broker-sync.ts'

/** What is in force for an open store, as its broker said at the start. */
export interface NatsStoreFacts {
  readonly name: string
  readonly brokerVersion: string
  /** The fewest replicas of its streams. */
  readonly replicas: number
  /** How each server that was asked syncs; empty where no monitoring port was given. */
  readonly sync: readonly BrokerSync[]
  /** Whether an acknowledged write is on disk; undefined where nobody was asked. */
  readonly syncsEachWrite: boolean | undefined
  /** What this broker lacks, a sentence each. */
  readonly lacks: readonly string[]
}

/** A store on JetStream. */
export interface NatsStore extends Store {
  readonly kind: 'nats'
  /** Tells what is in force, for `doctor` and start-up. */
  facts(): NatsStoreFacts
}

/** The parts of an open store. */
export interface StoreParts {
  readonly journal: Journal
  readonly keyValue: KeyValue
  readonly facts: NatsStoreFacts
  /** Resolves once the broker is known to have all that it had; rejects with `store.corrupt`. */
  readonly verified: () => Promise<void>
  readonly release: () => Promise<void>
  readonly clock: Clock
}

/** How long `close` waits for writes whose outcome is looked for: then they end as unknown. */
const closeTimeoutMs = 2_000

/** Puts a store together: it refuses what comes after `close`, and `close` waits for what came before. */
export function createNatsStore({ journal, keyValue, facts, verified, release, clock }: StoreParts): NatsStore {
  const pending = new Set<Promise<unknown>>()
  let closing: Promise<void> | undefined

  const guard = async <Result>(operation: () => Promise<Result>): Promise<Result> => {
    if (closing) throw new MeshError('store.closed', `The store ${facts.name} is closed; open it again.`)
    // The operation starts now, while the caller's buffers are as they were.
    const running = operation()
    pending.add(running)
    try {
      return await running
    } finally {
      pending.delete(running)
    }
  }
  /** Waits for the check after a reconnect before it reads what might be less than was there. */
  const read = <Result>(operation: () => Promise<Result>): Promise<Result> => guard(() => verified().then(operation))
  const finish = async (): Promise<void> => {
    const { promise: late, resolve } = Promise.withResolvers<undefined>()
    const cancel = clock.setTimer(() => {
      resolve(undefined)
    }, closeTimeoutMs)
    await Promise.race([Promise.allSettled(pending), late])
    cancel()
    await release()
    await Promise.allSettled(pending)
  }
  return {
    kind: 'nats',
    journal: {
      append: (stream, expectedLast, entries) => guard(() => journal.append(stream, expectedLast, entries)),
      compact: (stream, expectedLast, entries) => guard(() => journal.compact(stream, expectedLast, entries)),
      read: (stream, fromPosition, limit) => read(() => journal.read(stream, fromPosition, limit)),
      last: (stream) => read(() => journal.last(stream)),
      streams: (prefix) => read(() => journal.streams(prefix)),
    },
    keyValue: {
      get: (key) => read(() => keyValue.get(key)),
      put: (key, value, expectedRevision) => guard(() => keyValue.put(key, value, expectedRevision)),
      delete: (key) => guard(() => keyValue.delete(key)),
      list: (prefix) => read(() => keyValue.list(prefix)),
    },
    facts: () => facts,
    close() {
      closing ??= finish()
      return closing
    },
  }
}
