import type { Clock, IssuedCredential, Logger } from '@parley/ports'
import type { InstanceDid } from '@parley/protocol'
import { encodeCapabilities, type DescribedCapabilities } from './agent-card.ts'
import { contractsAskedOf, contractsToldTo } from './announcement.ts'
import { describeCapability } from './contract.ts'
import type { Sealer } from './sealer.ts'
import type { Served } from './served.ts'

/** Asks instances what they serve, and answers who asks. Heartbeats carry hashes alone, since schemas can be large. */
export interface CardExchange {
  /** Resolves with what an instance says that it serves; undefined if it did not say so in time. */
  ask(instance: InstanceDid, timeoutMs: number): Promise<DescribedCapabilities | undefined>
  /** Tells an asker what this node serves. Asked too often, it says nothing. */
  answer(asker: InstanceDid): void
  /** Takes what an instance said; false if nobody asked it. */
  take(instance: InstanceDid, capabilities: DescribedCapabilities): boolean
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
  readonly maxBodyBytes: number
  issued(): IssuedCredential
}): CardExchange {
  const { sealer, clock, logger, served, maxBodyBytes } = parts
  const waiting = new Map<InstanceDid, Set<(capabilities: DescribedCapabilities | undefined) => void>>()
  let second = -Infinity
  let answers = 0
  const emit = (topic: string, body: Uint8Array): void => {
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
      const { promise, resolve } = Promise.withResolvers<DescribedCapabilities | undefined>()
      const asking = waiting.get(instance) ?? new Set()
      waiting.set(instance, asking)
      const end = (capabilities: DescribedCapabilities | undefined): void => {
        cancelTimer()
        asking.delete(end)
        if (asking.size === 0) waiting.delete(instance)
        resolve(capabilities)
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
      const body = encodeCapabilities([...served.values()].map(({ contract }) => describeCapability(contract)))
      if (body.length <= maxBodyBytes) emit(contractsToldTo(asker), body)
      else logger.warn('mesh.card-too-large', { bytes: body.length, maxBodyBytes })
    },
    take(instance, capabilities) {
      const asking = [...(waiting.get(instance) ?? [])]
      for (const end of asking) end(capabilities)
      return asking.length > 0
    },
  }
}
