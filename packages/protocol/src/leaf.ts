import { signingDomains } from './domain.ts'

/** SHA-256 over the concatenation of its parts; the host supplies it (the port `Hash`). */
export type Sha256 = (...parts: readonly Uint8Array[]) => Uint8Array

const leafPrefix = Uint8Array.of(0)
const nodePrefix = Uint8Array.of(1)
const domain = new TextEncoder().encode(signingDomains.frame)

/** Hashes salt and body, so that an envelope can be checked without its body and a short body cannot be guessed. */
export function commitBody(hash: Sha256, salt: Uint8Array, body: Uint8Array): Uint8Array {
  return hash(salt, body)
}

/** Hashes one envelope: SHA-256(0x00 ‖ domain ‖ u32 header length ‖ header ‖ body commitment). */
export function hashLeaf(hash: Sha256, header: Uint8Array, commitment: Uint8Array): Uint8Array {
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, header.length)
  return hash(leafPrefix, domain, length, header, commitment)
}

/** Computes the root over leaf hashes (RFC 9162 §2.1.1). Throws a RangeError for no leaves. */
export function hashRoot(hash: Sha256, leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves
  if (!first) throw new RangeError('a tree needs a leaf')
  if (leaves.length === 1) return first
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return hash(nodePrefix, hashRoot(hash, leaves.slice(0, split)), hashRoot(hash, leaves.slice(split)))
}
