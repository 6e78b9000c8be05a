import type { EnvelopeHeader, InstanceDid, Refusal, Verdict } from '@parley/protocol'
import type { Session } from './session.ts'

/** A session that is open, or why there is none. */
export type Opened = { readonly kind: 'allow'; readonly session: Session } | Refusal

/**
 * Hello → welcome → ready: two instances that know only each other's DID and an anchor prove who they are.
 *
 * I1 Both sides verify the other's credential against their own anchors, and ask for orders, before a session exists.
 * I2 The session's id hashes the leaves of hello and welcome, so both sides bind the same bytes.
 * I3 Both sides compute the same best version and suite from two signed lists; another choice ends the handshake.
 * I4 The secret of a session comes from keys that are made for it and forgotten with it.
 * I5 A session that a request was refused for never opens: what is sent again elsewhere could be done a second time in it.
 * I6 Pending handshakes are bounded: two per DID, `maxPending` in all, `pendingMs` long.
 */
export interface Handshake {
  /** Opens a session to an instance, or gives at once the one that is open. */
  open(instance: InstanceDid, timeoutMs: number): Opened | Promise<Opened>
  /** Answers a hello, whose leaf hash is `leaf`, with a welcome. */
  greet(header: EnvelopeHeader, leaf: string): Promise<Verdict>
  /** Takes a ready: the session is open. */
  confirm(header: EnvelopeHeader): Verdict
  /** Gives a session up that its ready has not opened yet: a request of the same sender came before it, and was refused. */
  abandon(session: string, from: InstanceDid): void
}
