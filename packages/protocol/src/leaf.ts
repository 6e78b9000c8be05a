import { signingDomains } from './domain.ts'
import { hashMerkleLeaf } from './merkle/merkle-hash.ts'
import type { Sha256 } from './sha256.ts'

const domain = new TextEncoder().encode(signingDomains.frame)

/** Hashes salt and body, so that an envelope can be checked without its body and a short body cannot be guessed. */
export function commitBody(hash: Sha256, salt: Uint8Array, body: Uint8Array): Uint8Array {
  return hash(salt, body)
}

/** Hashes one envelope: SHA-256(0x00 ‖ domain ‖ u32 header length ‖ header ‖ body commitment). */
export function hashLeaf(hash: Sha256, header: Uint8Array, commitment: Uint8Array): Uint8Array {
  const size = header.length
  // Without a view on its buffer, so small an array stays on the heap.
  const length = Uint8Array.of(size >>> 24, size >>> 16, size >>> 8, size)
  return hashMerkleLeaf(hash, domain, length, header, commitment)
}
