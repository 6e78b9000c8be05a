import type { Clock, Hash, Random, Signer, Transport } from '@parley/ports'
import {
  allowed,
  commitBody,
  encodeFrame,
  envelopeBytes,
  formatBounceSubject,
  formatEventSubject,
  formatInboxSubject,
  frameSignedBytes,
  hashLeaf,
  isMeshError,
  limits,
  refuse,
  signingDomains,
  suites,
  type EnvelopeHeader,
  type InstanceDid,
  type Refusal,
  type UnsignedEnvelope,
  type Verdict,
} from '@parley/protocol'
import { sealBody, type BodyKeys } from './body-keys.ts'

/** An envelope whose bytes are fixed; its frame is signed when it is sent. */
export interface SealedEnvelope extends UnsignedEnvelope {
  /** Leaf hash in base64url: what an answer names. */
  readonly leaf: string
  readonly subject: string
  /** Somebody waits for an answer, and so for the word that nobody listens. */
  readonly isAwaited: boolean
}

/** Header fields that the sealer fills in by itself. */
export type OpenHeader = Omit<EnvelopeHeader, 'id' | 'from' | 'mesh' | 'sealed'> & { readonly id?: string }

/**
 * Signs envelopes with the instance's key and hands them to the bus.
 *
 * I1 What is sent in one turn to one recipient travels under one signature, in the order of `send`.
 * I2 One signature is made at a time; the next frame fills meanwhile, so a slow signer costs latency, not throughput.
 */
export interface Sealer {
  /** Fixes the bytes of an envelope. With keys, whose nonce needs a counter in the header, the body is encrypted. */
  seal(header: OpenHeader, body: Uint8Array, keys?: BodyKeys): SealedEnvelope
  /** Signs and publishes at the end of the turn. Refuses when nothing was sent: no connection, no signature, too large. */
  send(sealed: SealedEnvelope): Promise<Verdict>
}

const encoder = new TextEncoder()
/** When to try again after the bus or the signer was gone, in milliseconds. */
const retryAfterLossMs = 1_000
/** 96 bits: nobody who does not see the traffic guesses an attempt. */
const attemptBytes = 12

/** Makes a fresh envelope id: 128 random bits in base64url. */
export function createEnvelopeId(random: Random): string {
  return Buffer.from(random.bytes(16)).toString('base64url')
}

interface Waiting {
  readonly sealed: SealedEnvelope
  readonly told: (verdict: Verdict) => void
}

/** Creates the sealer of one instance on one mesh. */
export function createSealer(parts: {
  readonly signer: Signer
  readonly mesh: string
  readonly clock: Clock
  readonly hash: Hash
  readonly random: Random
  readonly transport: Transport
  /** Is told under which attempt envelopes that are awaited leave, before they do. */
  readonly onAttempt?: (attempt: string, leaves: readonly string[]) => void
}): Sealer {
  const { signer, mesh, clock, hash, random, transport, onAttempt } = parts
  const from = signer.did as InstanceDid
  const bySubject = new Map<string, Waiting[]>()
  let isFlushing = false

  const sign = async (bundle: readonly Waiting[]): Promise<Uint8Array | Refusal> => {
    try {
      const leaves = bundle.map(({ sealed }) => Buffer.from(sealed.leaf, 'base64url'))
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
    const attempt = Buffer.from(random.bytes(attemptBytes)).toString('base64url')
    onAttempt(attempt, leaves)
    return formatBounceSubject(mesh, from, attempt)
  }
  const publish = async (subject: string, bundle: readonly Waiting[]): Promise<Verdict> => {
    const signature = await sign(bundle)
    if ('kind' in signature) return signature
    try {
      const envelopes = bundle.map(({ sealed }) => sealed)
      transport.publish(subject, encodeFrame(suites.ed25519Sha256, signature, envelopes), openAttempt(bundle))
      return allowed
    } catch (error) {
      const { code, message, retryable } = isMeshError(error)
        ? error
        : { code: 'hop.stage-failed' as const, message: 'the frame could not be published', retryable: false }
      return refuse(code, message, retryable ? { retryAfterMs: retryAfterLossMs } : {})
    }
  }
  const flush = async (): Promise<void> => {
    while (bySubject.size > 0) {
      for (const [subject, waiting] of bySubject) {
        const bundle = takeBundle(waiting)
        if (waiting.length === 0) bySubject.delete(subject)
        const verdict = await publish(subject, bundle)
        for (const { told } of bundle) told(verdict)
      }
    }
    isFlushing = false
  }
  return {
    seal(open, plain, keys) {
      const { id = createEnvelopeId(random), type, to, ...rest } = open
      const fields = { type, id, from, to, mesh, ...rest, ...(keys && { sealed: true as const }) }
      const header = encoder.encode(JSON.stringify(fields satisfies EnvelopeHeader))
      const body = keys ? sealBody(keys, counterOf(fields), header, plain) : plain
      const salt = random.bytes(16)
      const leaf = hashLeaf(hash, header, commitBody(hash, salt, body))
      const subject =
        type === 'event' ? formatEventSubject(mesh, to, from) : formatInboxSubject(mesh, to as InstanceDid, from)
      const isAwaited = type === 'request' || type === 'hello'
      return { header, body, salt, subject, leaf: Buffer.from(leaf).toString('base64url'), isAwaited }
    },
    send(sealed) {
      const { promise, resolve } = Promise.withResolvers<Verdict>()
      const waiting = bySubject.get(sealed.subject)
      if (waiting) waiting.push({ sealed, told: resolve })
      else bySubject.set(sealed.subject, [{ sealed, told: resolve }])
      if (!isFlushing) {
        isFlushing = true
        clock.defer(() => void flush())
      }
      return promise
    },
  }
}

/** Gives the counter that the nonce is made of. Without one a nonce could be used twice, which would give the key away. */
function counterOf({ counter }: { readonly counter?: number }): number {
  if (counter === undefined) throw new TypeError('a body is sealed only under a counter of its session')
  return counter
}

/** Takes what fits into the next frame off the queue: at least one, at most 64 and 256 KiB unless alone. */
function takeBundle(waiting: Waiting[]): readonly Waiting[] {
  let bytes = 0
  let count = 0
  for (const { sealed } of waiting) {
    bytes += envelopeBytes(sealed)
    if (count > 0 && (count === limits.frameEnvelopes || bytes > limits.bundleBytes)) break
    count += 1
  }
  return waiting.splice(0, count)
}
