import { hashes, Point } from '@noble/ed25519'
import { signatureBytes, type SigningDomain } from '@parley/protocol'
import { decideDidKey } from './did-key.ts'
import { isSafePoint } from './point.ts'
import { encodeSigningInput } from './signing-input.ts'

const groupOrder = Point.CURVE().n

/**
 * Decides as `verifySignature` does where there is no `node:crypto` (browser, edge), with WebCrypto's SHA-512. It computes
 * `[S]B − [k]A` and compares its encoding with R byte by byte, which is the cofactorless rule, instead of
 * noble's own `verify`, which accepts or refuses other edge cases. About fifteen times slower.
 */
export function verifySignaturePortably(
  did: string,
  domain: SigningDomain,
  bytes: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  return verifySigningInputPortably(did, encodeSigningInput(domain, bytes), signature)
}

/** Decides as `verifySignaturePortably` over bytes that already are a signing input. */
export async function verifySigningInputPortably(
  did: string,
  input: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const verdict = decideDidKey(did)
  if (verdict.kind === 'deny' || signature.length !== signatureBytes || !isSafePoint(signature, 0)) return false
  const scalar = readLittleEndian(signature.subarray(32))
  const key = decodePoint(verdict.publicKey)
  if (!key || scalar >= groupOrder) return false
  const commitment = signature.subarray(0, 32)
  const digest = await hashes.sha512Async(concatenate(commitment, verdict.publicKey, input))
  const challenge = readLittleEndian(digest) % groupOrder
  const expected = Point.BASE.multiply(scalar, false).add(key.negate().multiply(challenge, false)).toBytes()
  return expected.every((byte, index) => byte === commitment[index])
}

function decodePoint(publicKey: Uint8Array): Point | undefined {
  try {
    return Point.fromBytes(publicKey)
  } catch {
    // noble's only way to say that the bytes are no point of the curve.
    return undefined
  }
}

function readLittleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (let index = bytes.length - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[index] ?? 0)
  return value
}

function concatenate(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}
