import { verifyCredential, type VerifiedCredential } from '@parley/identity'
import { allowed, iatpVersion, limits, refuse, suites, type InstanceDid, type Refusal } from '@parley/protocol'
import { decodeAnswerBody } from './answer-body.ts'
import type { Handshake } from './handshake.ts'
import type { NodeParts } from './node-parts.ts'
import { createSession, type Session } from './session.ts'

const maxPending = 1_024
const maxPendingPerDid = 2
const pendingMs = 30_000
/** Hellos that are remembered, so that a copy is not answered. */
const maxGreeted = 4_096
/** How long a hello, a welcome or a ready is valid. */
const lifetimeMs = 30_000

interface PendingReady {
  readonly session: Session
  readonly welcomeLeaf: string
  readonly expiresAtMs: number
}

/** Creates the handshake of a node. */
export function createHandshake(parts: NodeParts): Handshake {
  const opening = new Map<InstanceDid, Promise<{ readonly kind: 'allow'; readonly session: Session } | Refusal>>()
  const pendingReady = new Map<string, PendingReady>()
  /** Leaf of each answered hello, with the wall time after which `addressed` refuses a copy. */
  const greeted = new Map<string, number>()

  const proveSelf = (): {
    credential: string
    statement: string
    nonce: string
    versions: number[]
    suites: number[]
  } => ({
    credential: parts.issued().credential,
    statement: parts.issued().statement,
    nonce: Buffer.from(parts.random.bytes(16)).toString('base64url'),
    versions: [iatpVersion],
    suites: [suites.ed25519Sha256],
  })
  const times = (): { issuedAtMs: number; expiresAtMs: number } => {
    const nowMs = parts.clock.now()
    return { issuedAtMs: nowMs, expiresAtMs: nowMs + lifetimeMs }
  }
  const sessionId = (helloLeaf: string, welcomeLeaf: string): string =>
    Buffer.from(parts.hash(Buffer.from(helloLeaf, 'base64url'), Buffer.from(welcomeLeaf, 'base64url'))).toString(
      'base64url',
    )

  const verifyPeer = (header: {
    readonly credential?: string
    readonly statement?: string
    readonly from: InstanceDid
    readonly versions?: readonly number[]
    readonly suites?: readonly number[]
  }): { readonly kind: 'allow'; readonly credential: VerifiedCredential } | Refusal => {
    if (!header.versions?.includes(iatpVersion))
      return refuse('iatp.version-unsupported', 'the peer does not speak IATP 1')
    if (!header.suites?.includes(suites.ed25519Sha256))
      return refuse('iatp.suite-unsupported', 'the peer does not know suite 1')
    const verified = verifyCredential(
      { credential: header.credential ?? '', statement: header.statement ?? '' },
      { anchors: parts.anchors, instance: header.from, nowMs: parts.clock.now() },
    )
    if (verified.kind === 'deny') return verified
    const ordered = parts.orders.check(verified.credential)
    return ordered.kind === 'deny' ? ordered : verified
  }

  const shake = async (
    instance: InstanceDid,
    timeoutMs: number,
  ): Promise<{ readonly kind: 'allow'; readonly session: Session } | Refusal> => {
    const ownCredentialId = parts.ownCredential().id
    const hello = parts.sealer.seal({ type: 'hello', to: instance, ...times(), ...proveSelf() }, new Uint8Array())
    const waiting = parts.pending.wait(hello.leaf, instance, timeoutMs)
    const sent = await parts.sealer.send(hello)
    if (sent.kind === 'deny') {
      waiting.cancel()
      return sent
    }
    const welcome = await waiting.answer
    if (welcome === 'timeout' || welcome === 'cancelled')
      return refuse(
        'iatp.handshake-failed',
        `${instance} did not answer the hello within ${String(Math.round(timeoutMs))} ms`,
      )
    if (welcome.header.type !== 'welcome') {
      const outcome = decodeAnswerBody(welcome.body)?.outcome
      return refuse(
        outcome?.kind === 'refused' ? outcome.code : 'iatp.handshake-failed',
        'the callee refused the hello',
      )
    }
    const verified = verifyPeer(welcome.header)
    if (verified.kind === 'deny') return verified
    const session = createSession(sessionId(hello.leaf, welcome.leaf), verified.credential, ownCredentialId)
    const ready = parts.sealer.seal(
      { type: 'ready', to: instance, ...times(), session: session.id, inReplyTo: welcome.leaf },
      new Uint8Array(),
    )
    // The first request follows in the same frame; should this one be lost, the callee asks for a new handshake.
    void parts.sealer.send(ready)
    parts.sessions.addOpened(session)
    parts.buckets.admit(instance)
    return { kind: 'allow', session }
  }

  const forgetLapsed = (): void => {
    const nowMs = parts.clock.monotonic()
    for (const [id, pending] of pendingReady) if (pending.expiresAtMs < nowMs) pendingReady.delete(id)
    for (const [leaf, untilMs] of greeted)
      if (untilMs < parts.clock.now() || greeted.size > maxGreeted) greeted.delete(leaf)
  }

  return {
    open(instance, timeoutMs) {
      const known = parts.sessions.opened(instance)
      const nowMs = parts.clock.now()
      if (known && known.ownCredentialId === parts.ownCredential().id && nowMs < known.peer.expiresAtMs)
        return { kind: 'allow', session: known }
      const running = opening.get(instance)
      if (running) return running
      const started = shake(instance, timeoutMs).finally(() => opening.delete(instance))
      opening.set(instance, started)
      return started
    },
    async greet(header, leaf) {
      forgetLapsed()
      if (greeted.has(leaf)) return refuse('iatp.replayed', 'this hello was answered before')
      const ofSender = [...pendingReady.values()].filter(({ session }) => session.peer.instance === header.from)
      if (pendingReady.size >= maxPending || ofSender.length >= maxPendingPerDid)
        return refuse('iatp.sender-limited', 'too many handshakes are pending', { retryAfterMs: 1_000 })
      const verified = verifyPeer(header)
      if (verified.kind === 'deny') return verified
      greeted.set(leaf, header.expiresAtMs + limits.skewMs)
      const welcome = parts.sealer.seal(
        { type: 'welcome', to: header.from, ...times(), ...proveSelf(), inReplyTo: leaf },
        new Uint8Array(),
      )
      const session = createSession(sessionId(leaf, welcome.leaf), verified.credential, parts.ownCredential().id)
      pendingReady.set(session.id, {
        session,
        welcomeLeaf: welcome.leaf,
        expiresAtMs: parts.clock.monotonic() + pendingMs,
      })
      return parts.sealer.send(welcome)
    },
    confirm(header) {
      const pending = pendingReady.get(header.session ?? '')
      if (pending?.session.peer.instance !== header.from || pending.welcomeLeaf !== header.inReplyTo)
        return refuse('iatp.handshake-failed', 'no handshake waits for this ready')
      pendingReady.delete(pending.session.id)
      parts.sessions.add(pending.session)
      parts.buckets.admit(header.from)
      return allowed
    },
  }
}
