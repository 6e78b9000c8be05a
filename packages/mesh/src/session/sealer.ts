import type { Clock, Hash, Random, Signer, Transport } from '@parley/ports'
import {
  allowed,
  commitBody,
  encodeBase64url,
  encodeFrame,
  envelopeBytes,
  formatBounceSubject,
  formatEventSubject,
  formatId,
  formatInboxSubject,
  formatMailboxSubject,
  frameSignedBytes,
  hashLeaf,
  isMeshError,
  limits,
  refuse,
  signingDomains,
  suites,
  type EnvelopeHeader,
  type EnvelopeType,
  type EvidenceFrame,
  type InstanceDid,
  type Refusal,
  type UnsignedEnvelope,
  type Verdict,
} from '@parley/protocol'
import { sealBody, type BodyKeys } from './body-keys.ts'
import type { InFrame } from './evidence-of.ts'
import { createSendPace } from '../calling/send-pace.ts'

/** An envelope whose bytes are fixed; its frame is signed when it is sent. */
export interface SealedEnvelope extends UnsignedEnvelope {
  /** Leaf hash in base64url: what an answer names. */
  readonly leaf: string
  readonly leafBytes: Uint8Array
  readonly subject: string
  /** Somebody waits for an answer, and so for the word that nobody listens. */
  readonly isAwaited: boolean
}

type FixedField = 'type' | 'to' | 'issuedAtMs' | 'expiresAtMs'

/** A header without what the sealer fills in by itself. What is undefined is left out. */
export type OpenHeader = Pick<EnvelopeHeader, FixedField> & {
  readonly [Field in Exclude<keyof EnvelopeHeader, FixedField | 'from' | 'mesh' | 'sealed'>]?:
    | EnvelopeHeader[Field]
    | undefined
}

/**
 * Signs envelopes with the instance's key and hands them to the bus.
 *
 * I1 What is sent in one turn to one recipient travels under one signature, in the order of `send`; much of it under few.
 * I2 One signature is made at a time; the next frame fills meanwhile, so a slow signer costs latency, not throughput.
 * I3 No recipient gets more frames a second than it may refuse to check.
 */
export interface Sealer {
  /** Fixes the bytes of an envelope. With keys, whose nonce needs a counter in the header, the body is encrypted. */
  seal(header: OpenHeader, body: Uint8Array, keys?: BodyKeys): SealedEnvelope
  /** Signs and publishes at the end of the turn. Refuses when nothing was sent: no connection, no signature, too large. */
  send(sealed: SealedEnvelope): Promise<Verdict>
  /** The same, for who wants no promise: `told` is called once, with the frame if it left in one, and must not throw. */
  post(sealed: SealedEnvelope, told: (verdict: Verdict, frame?: InFrame) => void): void
}

/**
 * This many envelopes for one recipient leave before the turn ends, so that the recipient works on them while this node
 * still makes the next ones: with one frame for everything the two would take turns.
 */
const earlyEnvelopes = 32
/** When to try again after the bus or the signer was gone, in milliseconds. */
const retryAfterLossMs = 1_000
/** 96 bits: nobody who does not see the traffic guesses an attempt. */
const attemptBytes = 12

/** Makes a fresh envelope id: 128 random bits in base64url. */
export function createEnvelopeId(random: Random): string {
  return formatId(random.bytes(16))
}

interface Waiting {
  readonly sealed: SealedEnvelope
  readonly told: (verdict: Verdict, frame?: InFrame) => void
}

/** Creates the sealer of one instance on one mesh. */
export function createSealer(parts: {
  readonly signer: Signer
  readonly mesh: string
  readonly clock: Clock
  readonly hash: Hash
  readonly random: Random
  readonly transport: Transport
  /** Envelopes under one signature at most; default as many as a frame may have. */
  readonly maxEnvelopes?: number
  /** Is told under which attempt envelopes that are awaited leave, before they do. */
  readonly onAttempt?: (attempt: string, leaves: readonly string[]) => void
}): Sealer {
  const { signer, mesh, clock, hash, random, transport, maxEnvelopes = limits.frameEnvelopes, onAttempt } = parts
  const from = signer.did as InstanceDid
  let lastInbox: { readonly to: InstanceDid; readonly subject: string } | undefined
  /** A node mostly sends to one instance many times. */
  const inboxOf = (to: InstanceDid): string => {
    if (lastInbox?.to !== to) lastInbox = { to, subject: formatInboxSubject(mesh, to, from) }
    return lastInbox.subject
  }
  const subjectOf = (type: EnvelopeType, to: string): string => {
    if (type === 'event') return formatEventSubject(mesh, to, from)
    return type === 'outcome' ? formatMailboxSubject(mesh, to, from) : inboxOf(to as InstanceDid)
  }
  const bySubject = new Map<string, Waiting[]>()
  let isScheduled = false
  let isFlushing = false
  let isResting = false
  const pace = createSendPace(clock)

  const sign = async (bundle: readonly Waiting[]): Promise<Uint8Array | Refusal> => {
    try {
      const leaves = bundle.map(({ sealed }) => sealed.leafBytes)
      const signedBytes = frameSignedBytes(hash, suites.ed25519Sha256, leaves)
      return await signer.sign(signingDomains.frame, signedBytes)
    } catch (error) {
      const why = error instanceof Error ? error.message : 'not an error'
      return refuse('identity.signer-unavailable', `the signer could not sign: ${why}`, {
        retryAfterMs: retryAfterLossMs,
      })
    }
  }
  /** Makes the subject for the word that nobody listens, if anybody would care. It serves for this frame alone. */
  const openAttempt = (bundle: readonly Waiting[]): string | undefined => {
    const leaves = bundle.filter(({ sealed }) => sealed.isAwaited).map(({ sealed }) => sealed.leaf)
    if (leaves.length === 0 || !onAttempt) return undefined
    const attempt = encodeBase64url(random.bytes(attemptBytes))
    onAttempt(attempt, leaves)
    return formatBounceSubject(mesh, from, attempt)
  }
  const publish = async (
    subject: string,
    bundle: readonly Waiting[],
  ): Promise<{ readonly verdict: Verdict; readonly frame?: EvidenceFrame }> => {
    const signature = await sign(bundle)
    if ('kind' in signature) return { verdict: signature }
    try {
      const envelopes = bundle.map(({ sealed }) => sealed)
      transport.publish(subject, encodeFrame(suites.ed25519Sha256, signature, envelopes), openAttempt(bundle))
      let framed: EvidenceFrame['envelopes'] | undefined
      const frame = {
        suite: suites.ed25519Sha256,
        signature,
        // Few ask for evidence of what they sent; whoever does asks for much of a frame.
        get envelopes() {
          return (framed ??= envelopes.map((sealed) => ({ ...sealed, leaf: sealed.leafBytes })))
        },
      }
      return { verdict: allowed, frame }
    } catch (error) {
      const { code, message, retryable } = isMeshError(error)
        ? error
        : { code: 'hop.stage-failed' as const, message: 'the frame could not be published', retryable: false }
      return { verdict: refuse(code, message, retryable ? { retryAfterMs: retryAfterLossMs } : {}) }
    }
  }
  const flush = async (): Promise<void> => {
    if (isFlushing) return
    isFlushing = true
    let restMs = Infinity
    for (let isProgress = true; isProgress && bySubject.size > 0;) {
      isProgress = false
      restMs = Infinity
      for (const [subject, waiting] of bySubject) {
        const pauseMs = pace.take(subject)
        restMs = Math.min(restMs, pauseMs)
        if (pauseMs > 0) continue
        isProgress = true
        const bundle = takeBundle(waiting, maxEnvelopes)
        if (waiting.length === 0) bySubject.delete(subject)
        const { verdict, frame } = await publish(subject, bundle)
        for (const [index, { told }] of bundle.entries()) told(verdict, frame && { frame, index })
      }
    }
    isFlushing = false
    if (bySubject.size > 0) rest(restMs)
  }
  /** What has to rest leaves later, with what gathers meanwhile. */
  const rest = (restMs: number): void => {
    if (isResting) return
    isResting = true
    clock.setTimer(() => {
      isResting = false
      void flush()
    }, restMs)
  }
  const post: Sealer['post'] = (sealed, told) => {
    const waiting = bySubject.get(sealed.subject)
    if (waiting) waiting.push({ sealed, told })
    else bySubject.set(sealed.subject, [{ sealed, told }])
    if (isFlushing) return
    if ((waiting?.length ?? 1) >= earlyEnvelopes) void flush()
    else if (!isScheduled) {
      isScheduled = true
      clock.defer(() => {
        isScheduled = false
        void flush()
      })
    }
  }
  return {
    seal(open, plain, keys) {
      const { type, to } = open
      const header = Buffer.from(JSON.stringify(closeHeader(open, random, from, mesh, keys !== undefined)))
      const body = keys ? sealBody(keys, counterOf(open), header, plain) : plain
      const salt = random.bytes(16)
      const leafBytes = hashLeaf(hash, header, commitBody(hash, salt, body))
      const subject = subjectOf(type, to)
      const leaf = encodeBase64url(leafBytes)
      const isAwaited = type === 'request' || type === 'hello'
      return { header, body, salt, subject, leaf, leafBytes, isAwaited }
    },
    send: (sealed) =>
      new Promise((resolve) => {
        post(sealed, resolve)
      }),
    post,
  }
}

/** Completes a header. Written out, all headers have one shape, which costs the engine least. */
function closeHeader(
  open: OpenHeader,
  random: Random,
  from: InstanceDid,
  mesh: string,
  isSealed: boolean,
): Readonly<Record<keyof EnvelopeHeader, unknown>> {
  return {
    type: open.type,
    id: open.id ?? createEnvelopeId(random),
    from,
    to: open.to,
    mesh,
    issuedAtMs: open.issuedAtMs,
    expiresAtMs: open.expiresAtMs,
    contentType: open.contentType,
    session: open.session,
    counter: open.counter,
    capability: open.capability,
    contract: open.contract,
    remainingMs: open.remainingMs,
    chain: open.chain,
    links: open.links,
    handed: open.handed,
    handedLinks: open.handedLinks,
    approvals: open.approvals,
    traceparent: open.traceparent,
    onBehalfOf: open.onBehalfOf,
    labels: open.labels,
    pathIndex: open.pathIndex,
    bodyRef: open.bodyRef,
    usage: open.usage,
    saga: open.saga,
    part: open.part,
    credit: open.credit,
    leaseMs: open.leaseMs,
    inReplyTo: open.inReplyTo,
    ended: open.ended,
    mailbox: open.mailbox,
    credential: open.credential,
    statement: open.statement,
    nonce: open.nonce,
    versions: open.versions,
    suites: open.suites,
    version: open.version,
    suite: open.suite,
    keyShare: open.keyShare,
    sealed: isSealed ? true : undefined,
    crit: open.crit,
  }
}

/** Gives the counter that the nonce is made of. Without one a nonce could be used twice, which would give the key away. */
function counterOf({ counter }: OpenHeader): number {
  if (counter === undefined) throw new TypeError('a body is sealed only under a counter of its session')
  return counter
}

/** Takes what fits into the next frame off the queue: at least one, at most 64 and 256 KiB unless alone. */
function takeBundle(waiting: Waiting[], maxEnvelopes: number): readonly Waiting[] {
  let bytes = 0
  let count = 0
  for (const { sealed } of waiting) {
    bytes += envelopeBytes(sealed)
    if (count > 0 && (count === maxEnvelopes || bytes > limits.bundleBytes)) break
    count += 1
  }
  return waiting.splice(0, count)
}
