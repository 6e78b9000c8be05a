import type { Sha256 } from '../sha256.ts'

const leafPrefix = Uint8Array.of(0)
const nodePrefix = Uint8Array.of(1)

/** Hashes an entry of a tree, given in parts: SHA-256(0x00 ‖ entry) (RFC 9162 §2.1.1). */
export function hashMerkleLeaf(hash: Sha256, ...entry: readonly Uint8Array[]): Uint8Array {
  return hash(leafPrefix, ...entry)
}

/** Hashes two subtrees: SHA-256(0x01 ‖ left ‖ right). The prefix keeps a node from ever passing for a leaf. */
export function hashMerkleNode(hash: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array {
  return hash(nodePrefix, left, right)
}

/** Tells whether two hashes are equal. Not constant-time: these hashes are no secrets. */
export function isSameHash(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index])
}
