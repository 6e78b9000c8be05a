import type { Hash } from '@parley/ports'

const leafPrefix = Uint8Array.of(0)
const nodePrefix = Uint8Array.of(1)

/** Hashes an entry of the tree: SHA-256(0x00 ‖ entry) (RFC 9162 §2.1.1). */
export function hashLeaf(hash: Hash, entry: Uint8Array): Uint8Array {
  return hash(leafPrefix, entry)
}

/** Hashes two subtrees: SHA-256(0x01 ‖ left ‖ right). The prefix keeps a node from ever passing for a leaf. */
export function hashNode(hash: Hash, left: Uint8Array, right: Uint8Array): Uint8Array {
  return hash(nodePrefix, left, right)
}

/** Tells whether two hashes are equal. Not constant-time: hashes of a log are no secrets. */
export function isSameHash(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index])
}
