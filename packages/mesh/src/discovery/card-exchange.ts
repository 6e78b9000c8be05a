import type { Clock, IssuedCredential, Logger } from '@parley/ports'
import type { InstanceDid } from '@parley/protocol'
import { encodeCard, type CardContents, type CardPolicy } from './agent-card.ts'
import { contractsAskedOf, contractsToldTo } from './announcement.ts'
import { describeCapability, describeEvent } from '../contract/contract.ts'
import type { ContractEvent } from '../contract/event.ts'
import type { Sealer } from '../session/sealer.ts'
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

const lifetimeMs = 60_000
/** A card is large and anybody of an accepted owner may ask: this many are told a second. */
const answersPerSecond = 32

/** Creates the exchange of a node. */
export function createCardExchange(parts: {
  readonly sealer: Sealer
  readonly clock: Clock
  readonly logger: Logger
  readonly served: ReadonlyMap<string, Served>
  /** Events that this node may emit. */
  readonly emits: readonly ContractEvent[]
  readonly maxBodyBytes: number
  policy(): CardPolicy
  issued(): IssuedCredential
  isProvisional(): boolean
}): CardExchange {
  const { sealer, clock, logger, served, emits, maxBodyBytes } = parts
  const waiting = new Map<InstanceDid, Set<(contents: CardContents | undefined) => void>>()
  let second = -Infinity
  let answers = 0
  const emit = (topic: string, body: Uint8Array): void => {
    // Evidence of a newcomer is for its issuer alone.
    if (parts.isProvisional()) return
    const issuedAtMs = clock.now()
    const { credential, statement } = parts.issued()
    const header = { type: 'event' as const, to: topic, issuedAtMs, expiresAtMs: issuedAtMs + lifetimeMs }
    sealer.send(sealer.seal({ ...header, credential, statement }, body)).then(
      (sent) => {
        if (sent.kind === 'deny') logger.debug('mesh.not-announced', { topic, code: sent.code })
      },
      (error: unknown) => {
        logger.error('hop.stage-failed', { error: error instanceof Error ? error.message : 'not an error' })
      },
    )
  }
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
      emit(contractsAskedOf(instance), new Uint8Array())
      return promise
    },
    answer(asker) {
      const now = Math.floor(clock.monotonic() / 1_000)
      if (now !== second) answers = 0
      second = now
      answers += 1
      if (answers > answersPerSecond) return
      const capabilities = [...served.values()].map(({ contract }) => describeCapability(contract))
      const body = encodeCard(capabilities, emits.map(describeEvent), parts.policy())
      if (body.length <= maxBodyBytes) emit(contractsToldTo(asker), body)
      else logger.warn('mesh.card-too-large', { bytes: body.length, maxBodyBytes })
    },
    isAsked: (instance) => waiting.has(instance),
    take(instance, contents) {
      for (const end of Array.from(waiting.get(instance) ?? [])) end(contents)
    },
  }
}
