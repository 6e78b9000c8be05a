import type { Hash, Random, Signer, Transport } from '@parley/ports'
import {
  allowed,
  commitBody,
  encodeFrame,
  formatEventSubject,
  formatInboxSubject,
  frameSignedBytes,
  hashLeaf,
  isMeshError,
  refuse,
  signingDomains,
  suites,
  type EnvelopeHeader,
  type InstanceDid,
  type Verdict,
} from '@parley/protocol'

/** An envelope that is signed and ready to be sent. */
export interface SealedEnvelope {
  /** Leaf hash in base64url: what an answer names. */
  readonly leaf: string
  readonly subject: string
  readonly frame: Uint8Array
}

/** Header fields that the sealer fills in by itself. */
export type OpenHeader = Omit<EnvelopeHeader, 'id' | 'from' | 'mesh'> & { readonly id?: string }

/** Signs envelopes with the instance's key and hands them to the bus. */
export interface Sealer {
  /** Signs one envelope in a frame of its own. `topic` sends it as an event instead of to an inbox. */
  seal(header: OpenHeader, body: Uint8Array): Promise<SealedEnvelope>
  /** Publishes. Throws what `Transport.publish` throws. */
  send(sealed: SealedEnvelope): void
}

const encoder = new TextEncoder()
/** When to try again after the bus was gone, in milliseconds. */
const retryAfterLossMs = 1_000

/** Makes a fresh envelope id: 128 random bits in base64url. */
export function createEnvelopeId(random: Random): string {
  return Buffer.from(random.bytes(16)).toString('base64url')
}

/** Creates the sealer of one instance on one mesh. */
export function createSealer(parts: {
  readonly signer: Signer
  readonly mesh: string
  readonly hash: Hash
  readonly random: Random
  readonly transport: () => Transport
}): Sealer {
  const { signer, mesh, hash, random } = parts
  const from = signer.did as InstanceDid
  return {
    async seal(open, body) {
      const { id = createEnvelopeId(random), type, to, ...rest } = open
      const header: EnvelopeHeader = { type, id, from, to, mesh, ...rest }
      const envelope = { header: encoder.encode(JSON.stringify(header)), body, salt: random.bytes(16) }
      const leaf = hashLeaf(hash, envelope.header, commitBody(hash, envelope.salt, body))
      const signedBytes = frameSignedBytes(hash, suites.ed25519Sha256, [leaf])
      const signature = await signer.sign(signingDomains.frame, signedBytes)
      return {
        leaf: Buffer.from(leaf).toString('base64url'),
        subject:
          type === 'event' ? formatEventSubject(mesh, to, from) : formatInboxSubject(mesh, to as InstanceDid, from),
        frame: encodeFrame(suites.ed25519Sha256, signature, [envelope]),
      }
    },
    send(sealed) {
      parts.transport().publish(sealed.subject, sealed.frame)
    },
  }
}

/** Sends, and turns what the bus throws into a refusal: a throw proves that nothing was sent. */
export function trySend(sealer: Sealer, sealed: SealedEnvelope): Verdict {
  try {
    sealer.send(sealed)
    return allowed
  } catch (error) {
    if (!isMeshError(error)) throw error
    return refuse(error.code, error.message, error.retryable ? { retryAfterMs: retryAfterLossMs } : {})
  }
}
