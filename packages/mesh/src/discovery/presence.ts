import type { CancelTimer, Clock, IssuedCredential, Logger } from '@parley/ports'
import { announcementTopics, encodeAnnouncement, type Announcement } from './announcement.ts'
import type { NodeParts } from '../node/node-parts.ts'

/** Makes an instance seen: announces it now and then, and when somebody asks. */
export interface Presence {
  start(): Promise<void>
  announceSoon(): void
  askWho(): void
  /** Publishes an event with the own credential. Best effort: what must arrive is told again. */
  emit(topic: string, body: Uint8Array): Promise<void>
  /** Announces again at once, for instance after a reconnect. */
  announceNow(): Promise<void>
  /** Stops, and says goodbye. */
  leave(): Promise<void>
}

/** Many askers within this time get one answer, in milliseconds. */
const gatherMs = 20
/** A call that finds nobody asks at most this often, in milliseconds. */
const askEveryMs = 250
const lifetimeMs = 60_000

/** Creates the presence of a node. */
export function createPresence(
  parts: Pick<NodeParts, 'sealer' | 'boot' | 'issued' | 'served' | 'accepting' | 'isProvisional'> & {
    readonly clock: Clock
    readonly logger: Logger
    readonly heartbeatMs: number
    /** What the node holds that others may lack. */
    readonly news: () => Pick<Announcement, 'orders' | 'evidence'>
  },
): Presence {
  const { clock, logger, heartbeatMs } = parts
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
  const announce = async (leaving: boolean): Promise<void> => {
    if (parts.isProvisional()) return
    const serves = parts.accepting()
      ? Object.fromEntries([...parts.served].map(([capability, { contract }]) => [capability, contract.hash]))
      : {}
    await emit(announcementTopics.card, encodeAnnouncement({ boot: parts.boot, serves, leaving, ...parts.news() }))
  }
  const beat = (): void => {
    cancelBeat = clock.setTimer(() => {
      void announce(false)
      if (!stopped) beat()
    }, heartbeatMs)
  }
  const askWho = (): void => {
    if (clock.monotonic() - askedAtMs < askEveryMs) return
    // Only an issuer answers a newcomer: the others are asked again as soon as there is a credential.
    askedAtMs = parts.isProvisional() ? -Infinity : clock.monotonic()
    void emit(announcementTopics.who, new Uint8Array())
  }
  return {
    async start() {
      await announce(false)
      askWho()
      beat()
    },
    announceSoon() {
      if (stopped) return
      cancelSoon ??= clock.setTimer(() => {
        cancelSoon = undefined
        void announce(false)
      }, gatherMs)
    },
    askWho,
    emit,
    announceNow: () => announce(false),
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
