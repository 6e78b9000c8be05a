import { verifyCredential, type VerifiedCredential } from '@parley/identity'
import {
  allowed,
  iatpVersion,
  limits,
  refuse,
  suites,
  type EnvelopeHeader,
  type InstanceDid,
  type Refusal,
  type Verdict,
} from '@parley/protocol'
import { decodeAnswerBody } from './answer-body.ts'
import type { Handshake } from './handshake.ts'
import type { Door } from './issuer/door.ts'
import type { NodeParts } from './node-parts.ts'
import { createSession, type Session } from './session.ts'

const maxPending = 1_024
const maxPendingPerDid = 2
const pendingMs = 30_000
/** Hellos that are remembered, so that a copy is not answered. */
const maxGreeted = 4_096
/** How long a hello, a welcome or a ready is valid. */
const lifetimeMs = 30_000
/** Newcomers whose evidence is looked at, at the same time. */
const maxAdmitting = 64

/** Refusals that a door may overrule: the token is none of a credential, or one that has expired. */
const admissible: ReadonlySet<string> = new Set(['identity.jwt-invalid', 'identity.credential-expired'])

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
  let admitting = 0

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

  /** Verifies who says hello; at an issuer, also who has no valid credential and wants one. */
  const verifyCaller = async (header: EnvelopeHeader): ReturnType<Door['admit']> => {
    const verified = verifyPeer(header)
    if (verified.kind === 'allow' || !parts.door || !admissible.has(verified.code)) return verified
    if (admitting >= maxAdmitting)
      return refuse('iatp.sender-limited', 'too many newcomers are looked at', { retryAfterMs: 1_000 })
    admitting += 1
    try {
      const presented = { credential: header.credential ?? '', statement: header.statement ?? '' }
      const admitted = await parts.door.admit(presented, header.from)
      if (admitted.kind === 'deny') return admitted
      const ordered = parts.orders.check(admitted.credential)
      return ordered.kind === 'deny' ? ordered : admitted
    } finally {
      admitting -= 1
    }
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
    parts.sessions.renew(verified.credential)
    parts.buckets.admit(instance)
    return { kind: 'allow', session }
  }

  const forgetLapsed = (): void => {
    const nowMs = parts.clock.monotonic()
    for (const [id, pending] of pendingReady) if (pending.expiresAtMs < nowMs) pendingReady.delete(id)
    for (const [leaf, untilMs] of greeted)
      if (untilMs < parts.clock.now() || greeted.size > maxGreeted) greeted.delete(leaf)
  }

  const decideRoom = (from: InstanceDid, leaf: string): Verdict => {
    if (greeted.has(leaf)) return refuse('iatp.replayed', 'this hello was answered before')
    const ofSender = [...pendingReady.values()].filter(({ session }) => session.peer.instance === from)
    if (pendingReady.size < maxPending && ofSender.length < maxPendingPerDid) return allowed
    return refuse('iatp.sender-limited', 'too many handshakes are pending', { retryAfterMs: 1_000 })
  }

  return {
    async open(instance, timeoutMs) {
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
      if (parts.isProvisional()) return refuse('mesh.not-started', 'this instance has no credential yet')
      const before = decideRoom(header.from, leaf)
      if (before.kind === 'deny') return before
      const verified = await verifyCaller(header)
      if (verified.kind === 'deny') return verified
      // Asked again: others came in while a newcomer's evidence was looked at. Nothing waits between this and the writing.
      const room = decideRoom(header.from, leaf)
      if (room.kind === 'deny') return room
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
      parts.sessions.renew(pending.session.peer)
      parts.buckets.admit(header.from)
      return allowed
    },
  }
}
