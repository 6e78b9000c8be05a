import { createKeyAgreement, type SecretExporter, type VerifiedCredential } from '@parley/identity'
import {
  allowed,
  iatpVersion,
  isSameChoice,
  limits,
  negotiate,
  refuse,
  suites,
  type Choice,
  type EnvelopeHeader,
  type InstanceDid,
  type Offer,
  type Refusal,
  type Verdict,
} from '@parley/protocol'
import { decodeAnswerBody } from '../serving/answer-body.ts'
import { deriveBodyKeys, type SessionSide } from './body-keys.ts'
import type { Handshake } from './handshake.ts'
import type { NodeParts } from '../node/node-parts.ts'
import { createSession, type Session } from './session.ts'
import { verifyPresented } from './verify-presented.ts'

const maxPending = 1_024
const maxPendingPerDid = 2
const pendingMs = 30_000
/** Hellos that are remembered, so that a copy is not answered. */
const maxGreeted = 4_096
/** How long a hello, a welcome or a ready is valid. */
const lifetimeMs = 30_000
/** Newcomers whose evidence is looked at, at the same time. */
const maxAdmitting = 64
/** When to try again where nobody listened, in milliseconds. */
const retryAfterBounceMs = 1_000

/** Refusals that a door may overrule: the token is none of a credential, or one that has expired. */
const admissible: ReadonlySet<string> = new Set(['identity.jwt-invalid', 'identity.credential-expired'])
/** What this node speaks. */
const offer: Offer = { versions: [iatpVersion], suites: [suites.ed25519Sha256] }
/** Keeps the secret of a session apart from whatever else may be encapsulated to a key. */
const keyPurpose = new TextEncoder().encode('iatp/1/session')

interface PendingReady {
  readonly session: Session
  readonly welcomeLeaf: string
  readonly choice: Choice
  readonly expiresAtMs: number
}

interface VerifiedPeer {
  readonly kind: 'allow'
  readonly credential: VerifiedCredential
  readonly choice: Choice
}

/** Creates the handshake of a node. */
export function createHandshake(parts: NodeParts): Handshake {
  const opening = new Map<InstanceDid, Promise<{ readonly kind: 'allow'; readonly session: Session } | Refusal>>()
  const pendingReady = new Map<string, PendingReady>()
  /** Senders of hellos whose welcome is being made: they take a place from the first check on. */
  const greeting = new Map<string, InstanceDid>()
  /** Leaf of each answered hello, with the wall time after which `addressed` refuses a copy. */
  const greeted = new Map<string, number>()
  const agreement = createKeyAgreement(parts.random)
  let admitting = 0

  const proveSelf = (): Pick<EnvelopeHeader, 'credential' | 'statement' | 'nonce' | 'versions' | 'suites'> => ({
    credential: parts.issued().credential,
    statement: parts.issued().statement,
    nonce: encodeBytes(parts.random.bytes(16)),
    ...offer,
  })
  const times = (): { issuedAtMs: number; expiresAtMs: number } => {
    const nowMs = parts.clock.now()
    return { issuedAtMs: nowMs, expiresAtMs: nowMs + lifetimeMs }
  }
  const openSession = async (opened: {
    readonly side: SessionSide
    readonly helloLeaf: string
    readonly welcomeLeaf: string
    readonly peer: VerifiedCredential
    readonly ownCredentialId: string
    readonly exportSecret: SecretExporter | undefined
  }): Promise<Session> => {
    const { side, exportSecret, peer, ownCredentialId } = opened
    const id = encodeBytes(parts.hash(decodeBytes(opened.helloLeaf), decodeBytes(opened.welcomeLeaf)))
    const keys = exportSecret && (await deriveBodyKeys(exportSecret, side, id))
    return createSession(id, peer, ownCredentialId, keys)
  }

  const verifyPeer = (header: EnvelopeHeader): VerifiedPeer | Refusal => {
    const negotiated = negotiate(offer, header)
    if (negotiated.kind === 'deny') return negotiated
    const verified = verifyPresented(parts, header)
    if (verified.kind === 'deny') return verified
    const ordered = parts.orders.check(verified.credential)
    return ordered.kind === 'deny' ? ordered : { ...verified, choice: negotiated.choice }
  }

  /** Verifies who says hello; at an issuer, also who has no valid credential and wants one. */
  const verifyCaller = async (header: EnvelopeHeader): Promise<VerifiedPeer | Refusal> => {
    const verified = verifyPeer(header)
    if (verified.kind === 'allow' || !parts.door || !admissible.has(verified.code)) return verified
    const negotiated = negotiate(offer, header)
    if (negotiated.kind === 'deny') return negotiated
    if (admitting >= maxAdmitting)
      return refuse('iatp.sender-limited', 'too many newcomers are looked at', { retryAfterMs: 1_000 })
    admitting += 1
    try {
      const presented = { credential: header.credential ?? '', statement: header.statement ?? '' }
      const admitted = await parts.door.admit(presented, header.from)
      if (admitted.kind === 'deny') return admitted
      const ordered = parts.orders.check(admitted.credential)
      return ordered.kind === 'deny' ? ordered : { ...admitted, choice: negotiated.choice }
    } finally {
      admitting -= 1
    }
  }

  const shake = async (
    instance: InstanceDid,
    timeoutMs: number,
  ): Promise<{ readonly kind: 'allow'; readonly session: Session } | Refusal> => {
    const ownCredentialId = parts.ownCredential().id
    const share = await agreement.createShare()
    const hello = parts.sealer.seal(
      { type: 'hello', to: instance, ...times(), ...proveSelf(), keyShare: encodeBytes(share.publicKey) },
      new Uint8Array(),
    )
    const waiting = parts.pending.wait(hello.leaf, instance, timeoutMs)
    const sent = await parts.sealer.send(hello)
    if (sent.kind === 'deny') {
      waiting.cancel()
      return sent
    }
    const welcome = await waiting.answer
    if (welcome === 'undelivered') {
      parts.directory.suspect(instance)
      return refuse('transport.no-listener', `nobody listens at ${instance}`, { retryAfterMs: retryAfterBounceMs })
    }
    if (welcome === 'revoked') return refuse('identity.revoked', `an order of its owner took ${instance} back`)
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
    const { choice } = verified
    if (!isSameChoice(choice, welcome.header)) return refuseDowngrade(choice, welcome.header)
    const { keyShare } = welcome.header
    const taken = keyShare === undefined ? undefined : await share.accept(decodeBytes(keyShare), keyInfo(hello.leaf))
    if (taken?.kind === 'deny') return taken
    const session = await openSession({
      side: 'opener',
      helloLeaf: hello.leaf,
      welcomeLeaf: welcome.leaf,
      peer: verified.credential,
      ownCredentialId,
      exportSecret: taken?.exportSecret,
    })
    const ready = parts.sealer.seal(
      { type: 'ready', to: instance, ...times(), session: session.id, inReplyTo: welcome.leaf, ...choice },
      new Uint8Array(),
    )
    // The first request follows in the same frame; should this one be lost, the callee asks for a new handshake.
    void parts.sealer.send(ready)
    parts.sessions.addOpened(session)
    parts.sessions.renew(verified.credential)
    parts.buckets.admit(instance)
    return { kind: 'allow', session }
  }

  /** Makes the welcome to a hello whose sender is verified, and the session that its ready will open. */
  const welcome = async ({ from, keyShare }: EnvelopeHeader, leaf: string, peer: VerifiedPeer): Promise<Verdict> => {
    const made = keyShare === undefined ? undefined : await agreement.encapsulate(decodeBytes(keyShare), keyInfo(leaf))
    if (made?.kind === 'deny') return made
    const ownCredentialId = parts.ownCredential().id
    const sealed = parts.sealer.seal(
      {
        type: 'welcome',
        to: from,
        ...times(),
        ...proveSelf(),
        ...peer.choice,
        ...(made && { keyShare: encodeBytes(made.encapsulated) }),
        inReplyTo: leaf,
      },
      new Uint8Array(),
    )
    const session = await openSession({
      side: 'welcomer',
      helloLeaf: leaf,
      welcomeLeaf: sealed.leaf,
      peer: peer.credential,
      ownCredentialId,
      exportSecret: made?.exportSecret,
    })
    const expiresAtMs = parts.clock.monotonic() + pendingMs
    pendingReady.set(session.id, { session, welcomeLeaf: sealed.leaf, choice: peer.choice, expiresAtMs })
    greeting.delete(leaf)
    return parts.sealer.send(sealed)
  }

  const forgetLapsed = (): void => {
    const nowMs = parts.clock.monotonic()
    for (const [id, pending] of pendingReady) if (pending.expiresAtMs < nowMs) pendingReady.delete(id)
    for (const [leaf, untilMs] of greeted)
      if (untilMs < parts.clock.now() || greeted.size > maxGreeted) greeted.delete(leaf)
  }

  const decideRoom = (from: InstanceDid, leaf: string): Verdict => {
    if (greeted.has(leaf)) return refuse('iatp.replayed', 'this hello was answered before')
    const senders = [...greeting.values(), ...[...pendingReady.values()].map(({ session }) => session.peer.instance)]
    const ofSender = senders.filter((sender) => sender === from)
    if (senders.length < maxPending && ofSender.length < maxPendingPerDid) return allowed
    return refuse('iatp.sender-limited', 'too many handshakes are pending', { retryAfterMs: 1_000 })
  }

  return {
    open(instance, timeoutMs) {
      const known = parts.sessions.opened(instance)
      const nowMs = parts.clock.now()
      const own = parts.ownCredential()
      // With a credential that lapsed only an issuer's door is left, which is for a hello; a session from before refuses all.
      const isHeld = nowMs < own.expiresAtMs && own.id === known?.ownCredentialId
      if (known && isHeld && nowMs < known.peer.expiresAtMs) return { kind: 'allow', session: known }
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
      greeting.set(leaf, header.from)
      try {
        return await welcome(header, leaf, verified)
      } finally {
        greeting.delete(leaf)
      }
    },
    confirm(header) {
      const pending = pendingReady.get(header.session ?? '')
      if (pending?.session.peer.instance !== header.from || pending.welcomeLeaf !== header.inReplyTo)
        return refuse('iatp.handshake-failed', 'no handshake waits for this ready')
      pendingReady.delete(pending.session.id)
      if (!isSameChoice(pending.choice, header)) return refuseDowngrade(pending.choice, header)
      parts.sessions.add(pending.session)
      parts.sessions.renew(pending.session.peer)
      parts.buckets.admit(pending.session.peer.instance)
      return allowed
    },
    abandon(session, from) {
      if (pendingReady.get(session)?.session.peer.instance === from) pendingReady.delete(session)
    },
  }
}

function refuseDowngrade(choice: Choice, { version, suite }: EnvelopeHeader): Refusal {
  const chosen = `version ${String(version)} with suite ${String(suite)}`
  const best = `version ${String(choice.version)} with suite ${String(choice.suite)}`
  return refuse('iatp.downgraded', `the peer chose ${chosen}, the best that both sides offer is ${best}`)
}

/** Binds a session's secret to the hello, and so to all that it offered. */
function keyInfo(helloLeaf: string): Uint8Array {
  return new Uint8Array(Buffer.concat([keyPurpose, decodeBytes(helloLeaf)]))
}

function encodeBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

function decodeBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64url'))
}
