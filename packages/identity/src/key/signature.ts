import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { signatureBytes, type SigningDomain } from '@parley/protocol'
import { decideDidKey } from './did-key.ts'
import { isSafePoint } from './point.ts'
import { encodeSigningInput } from './signing-input.ts'

/** DER of a SubjectPublicKeyInfo for Ed25519 up to the key itself (RFC 8410 §4). */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/** Keys a generation of the memo holds; two generations live, so twice as many are kept at most. */
const keysPerGeneration = 2048
let recentKeys = new Map<string, KeyObject>()
let olderKeys = new Map<string, KeyObject>()

/**
 * Tells whether `signature` is the DID's Ed25519 signature over the bytes in the domain. This is the one rule of the mesh,
 * whichever version of OpenSSL decides below it: RFC 8032 §5.1.7 without cofactor, S below the group order, and neither
 * the key nor the commitment R non-canonical or of small order (older versions accept such, newer ones do not; an honest
 * signer makes none). A DID that is not accepted verifies nothing. Parsed keys are memoised, bounded; verdicts never are.
 */
export function verifySignature(did: string, domain: SigningDomain, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verifySigningInput(did, encodeSigningInput(domain, bytes), signature)
}

/** Decides as `verifySignature` over bytes that already are a signing input. */
export function verifySigningInput(did: string, input: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== signatureBytes || !isSafePoint(signature, 0)) return false
  const key = recentKeys.get(did) ?? admitKey(did)
  return key !== undefined && verify(null, input, key, signature)
}

/** Parses the key of a DID, or takes it from the older generation, and puts it into the recent one. */
function admitKey(did: string): KeyObject | undefined {
  let key = olderKeys.get(did)
  if (!key) {
    const verdict = decideDidKey(did)
    if (verdict.kind === 'deny') return undefined
    key = createPublicKey({ key: Buffer.concat([spkiPrefix, verdict.publicKey]), format: 'der', type: 'spki' })
  }
  if (recentKeys.size >= keysPerGeneration) {
    olderKeys = recentKeys
    recentKeys = new Map()
  }
  recentKeys.set(did, key)
  return key
}
