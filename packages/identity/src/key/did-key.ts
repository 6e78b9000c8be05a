import { type InstanceDid, MeshError, type Refusal, refuse } from '@parley/protocol'
import { decodeBase58, encodeBase58 } from './base58.ts'
import { isSafePublicKey, pointBytes } from './point.ts'
import { quote } from './quote.ts'

/** What is decided about a DID: the public key that it spells, or why it is refused. */
export type DidKeyVerdict = { readonly kind: 'allow'; readonly publicKey: Uint8Array } | Refusal

const prefix = 'did:key:z'
/** Multicodec `ed25519-pub` as a varint. */
const codec = [0xed, 0x01] as const
/** Every Ed25519 did:key has this length, which also bounds the work of decoding a hostile one. */
const didLength = 56

/**
 * Decides about an Ed25519 did:key (W3C CCG did:key method, base58btc). A DID is accepted only if its key re-encodes to
 * exactly this text, so one key has one DID, and only if `isSafePublicKey` holds. Codes: `identity.did-invalid`,
 * `identity.key-unsafe`.
 */
export function decideDidKey(did: string): DidKeyVerdict {
  if (did.length !== didLength || !did.startsWith(prefix)) return invalid(did)
  const bytes = decodeBase58(did.slice(prefix.length))
  if (bytes?.length !== codec.length + pointBytes || bytes[0] !== codec[0] || bytes[1] !== codec[1]) {
    return invalid(did)
  }
  const publicKey = bytes.subarray(codec.length)
  if (encode(publicKey) !== did) return invalid(did)
  if (!isSafePublicKey(publicKey)) {
    return refuse('identity.key-unsafe', `the key of ${did} is of small order or not canonical; use another key`)
  }
  return { kind: 'allow', publicKey }
}

/** Reads the 32-byte Ed25519 public key out of a did:key. Throws `identity.did-invalid` or `identity.key-unsafe`. */
export function parseDidKey(did: string): Uint8Array {
  const verdict = decideDidKey(did)
  if (verdict.kind === 'deny') throw new MeshError(verdict.code, verdict.reason)
  return verdict.publicKey
}

/** Writes a 32-byte Ed25519 public key as its only did:key. Throws `identity.key-unsafe` for a key that may not enter. */
export function formatDidKey(publicKey: Uint8Array): InstanceDid {
  if (!isSafePublicKey(publicKey)) {
    throw new MeshError(
      'identity.key-unsafe',
      'the public key is not 32 canonical bytes of large order; use another key',
    )
  }
  return encode(publicKey)
}

/** Tells whether text is the did:key of a key that may enter. */
export function isInstanceDid(text: string): text is InstanceDid {
  return decideDidKey(text).kind === 'allow'
}

function encode(publicKey: Uint8Array): InstanceDid {
  const bytes = new Uint8Array(codec.length + pointBytes)
  bytes.set(codec)
  bytes.set(publicKey, codec.length)
  return `${prefix}${encodeBase58(bytes)}`
}

function invalid(did: string): Refusal {
  return refuse('identity.did-invalid', `${quote(did)} is not the canonical did:key of an Ed25519 key`)
}
