import type { Clock, Logger } from '@parley/ports'
import type { InstanceDid } from '@parley/protocol'
import { encodeCard, type CardContents, type CardPolicy } from './agent-card.ts'
import { contractsAskedOf, contractsToldTo } from './announcement.ts'
import {
  describeCapability,
  describeEvent,
  type CapabilityDescription,
  type EventDescription,
} from '../contract/contract.ts'
import type { ContractEvent } from '../contract/event.ts'
import type { Presence } from './presence.ts'
import type { Served } from '../serving/served.ts'

/** Asks instances what they serve, and answers who asks. Heartbeats carry hashes alone, since schemas can be large. */
export interface CardExchange {
  /** Resolves with what an instance says that it serves; undefined if it did not say so in time. */
  ask(instance: InstanceDid, timeoutMs: number): Promise<CardContents | undefined>
  /** Tells an asker what this node serves. Asked too often, it says nothing. */
  answer(asker: InstanceDid): void
  /** Tells whether somebody waits for what an instance says. */
  isAsked(instance: InstanceDid): boolean
  /** Gives what an instance said to all who wait for it. */
  take(instance: InstanceDid, contents: CardContents): void
}

/** A card is large and anybody of an accepted owner may ask: this many are told a second. */
const answersPerSecond = 32

/** Creates the exchange of a node. */
export function createCardExchange(parts: {
  /** Publishes an event in the node's name. */
  readonly emit: Presence['emit']
  readonly clock: Clock
  readonly logger: Logger
  readonly served: ReadonlyMap<string, Served>
  /** Events that this node may emit. */
  readonly emits: readonly ContractEvent[]
  readonly maxBodyBytes: number
  policy(): CardPolicy
  /** Who has no credential yet says nothing of itself. */
  isProvisional(): boolean
}): CardExchange {
  const { emit, clock, logger, served, emits, maxBodyBytes } = parts
  const waiting = new Map<InstanceDid, Set<(contents: CardContents | undefined) => void>>()
  let second = -Infinity
  let answers = 0
  let described:
    | readonly [capabilities: readonly CapabilityDescription[], events: readonly EventDescription[]]
    | undefined
  /** Schemas are printed once: that is dear, whoever asks, and contracts do not change. */
  const describe = (): NonNullable<typeof described> =>
    (described ??= [
      Array.from(served.values(), ({ contract }) => describeCapability(contract)),
      emits.map(describeEvent),
    ])
  return {
    ask(instance, timeoutMs) {
      const { promise, resolve } = Promise.withResolvers<CardContents | undefined>()
      const asking = waiting.get(instance) ?? new Set()
      waiting.set(instance, asking)
      const end = (contents: CardContents | undefined): void => {
        cancelTimer()
        asking.delete(end)
        if (asking.size === 0) waiting.delete(instance)
        resolve(contents)
      }
      const cancelTimer = clock.setTimer(() => {
        end(undefined)
      }, timeoutMs)
      asking.add(end)
      void emit(contractsAskedOf(instance), new Uint8Array())
      return promise
    },
    answer(asker) {
      if (parts.isProvisional()) return
      const now = Math.floor(clock.monotonic() / 1_000)
      if (now !== second) answers = 0
      second = now
      answers += 1
      if (answers > answersPerSecond) return
      const body = encodeCard(...describe(), parts.policy())
      if (body.length <= maxBodyBytes) void emit(contractsToldTo(asker), body)
      else logger.warn('mesh.card-too-large', { bytes: body.length, maxBodyBytes })
    },
    isAsked: (instance) => waiting.has(instance),
    take(instance, contents) {
      for (const end of Array.from(waiting.get(instance) ?? [])) end(contents)
    },
  }
}
