import type { CancelTimer, Clock, IssuedCredential, Logger } from '@parley/ports'
import type { InstanceDid } from '@parley/protocol'
import type { Served } from '../serving/served.ts'
import type { Sealer } from '../session/sealer.ts'
import { announcedTo, announcementTopics, askedAlone, encodeAnnouncement, type Announcement } from './announcement.ts'

/** Makes an instance seen: announces it now and then, and when somebody asks. */
export interface Presence {
  start(): Promise<void>
  /** Announces to all within a moment; many who ask get one answer. */
  announceSoon(): void
  /** Announces within a moment to one that asked; to all where many ask at once. */
  answer(asker: InstanceDid): void
  /** Asks everybody to announce, unless it was asked just now. */
  askWho(): void
  /** Publishes an event with the own credential. Best effort: what must arrive is told again. Never rejects. */
  emit(topic: string, body: Uint8Array): Promise<void>
  /** Announces again at once, for instance when the node takes no more calls. */
  announceNow(): Promise<void>
  /** The node is back on the bus: it is announced soon, and who is there is asked at once. */
  returned(): void
  /** Stops, and says goodbye. */
  leave(): Promise<void>
}

/** Many askers within this time get one answer, in milliseconds. */
const gatherMs = 20
/** To more askers than this at once, one announcement to all costs less than one to each. */
const maxAlone = 8
/** A call that finds nobody asks at most this often, in milliseconds. */
const askEveryMs = 250
const lifetimeMs = 60_000

/** Creates the presence of a node. */
export function createPresence(parts: {
  readonly sealer: Sealer
  readonly boot: string
  readonly served: ReadonlyMap<string, Served>
  readonly clock: Clock
  readonly logger: Logger
  readonly heartbeatMs: number
  issued(): IssuedCredential
  accepting(): boolean
  isProvisional(): boolean
  /** What the node holds that others may lack. */
  news(): Pick<Announcement, 'orders' | 'evidence'>
}): Presence {
  const { clock, logger, heartbeatMs } = parts
  const askers = new Set<InstanceDid>()
  let isForAll = false
  let stopped = false
  let cancelBeat: CancelTimer | undefined
  let cancelSoon: CancelTimer | undefined
  let askedAtMs = -Infinity

  const emit = async (topic: string, body: Uint8Array): Promise<void> => {
    const issuedAtMs = clock.now()
    // Evidence of a newcomer is for its issuer alone; a question without a credential is one that only issuers answer.
    const proof = parts.isProvisional() ? {} : pick(parts.issued())
    const sent = await parts.sealer.send(
      parts.sealer.seal({ type: 'event', to: topic, issuedAtMs, expiresAtMs: issuedAtMs + lifetimeMs, ...proof }, body),
    )
    // Nothing is lost: the next heartbeat, or the reconnect, announces again.
    if (sent.kind === 'deny') logger.debug('mesh.not-announced', { topic, code: sent.code })
  }
  const announce = async (leaving: boolean, topics: readonly string[] = [announcementTopics.card]): Promise<void> => {
    if (parts.isProvisional()) return
    const serves = parts.accepting()
      ? Object.fromEntries([...parts.served].map(([capability, { contract }]) => [capability, contract.hash]))
      : {}
    const body = encodeAnnouncement({ boot: parts.boot, serves, leaving, ...parts.news() })
    await Promise.all(topics.map((topic) => emit(topic, body)))
  }
  const beat = (): void => {
    cancelBeat = clock.setTimer(() => {
      void announce(false)
      beat()
    }, heartbeatMs)
  }
  const gather = (): void => {
    if (stopped) return
    cancelSoon ??= clock.setTimer(() => {
      cancelSoon = undefined
      const topics = isForAll || askers.size > maxAlone ? undefined : Array.from(askers, announcedTo)
      isForAll = false
      askers.clear()
      void announce(false, topics)
    }, gatherMs)
  }
  const announceSoon = (): void => {
    isForAll = true
    gather()
  }
  const ask = (): void => {
    // A newcomer is told by what its issuer tells all: an answer to it alone would be a signature for each key that is made up.
    void emit(announcementTopics.who, parts.isProvisional() ? new Uint8Array() : askedAlone)
  }
  const askWho = (): void => {
    if (clock.monotonic() - askedAtMs < askEveryMs) return
    // Only an issuer answers a newcomer: the others are asked again as soon as there is a credential.
    askedAtMs = parts.isProvisional() ? -Infinity : clock.monotonic()
    ask()
  }
  return {
    async start() {
      await announce(false)
      askWho()
      beat()
    },
    announceSoon,
    answer(asker) {
      if (askers.size <= maxAlone) askers.add(asker)
      gather()
    },
    askWho,
    emit,
    announceNow: () => announce(false),
    returned() {
      announceSoon()
      // Whenever it was asked before: what was missed is in the answers.
      ask()
    },
    async leave() {
      if (stopped) return
      stopped = true
      cancelBeat?.()
      cancelSoon?.()
      await announce(true)
    },
  }
}

function pick({ credential, statement }: IssuedCredential): Pick<IssuedCredential, 'credential' | 'statement'> {
  return { credential, statement }
}
