import type { Sha256 } from '../sha256.ts'
import { hashMerkleNode } from './merkle-hash.ts'

/** The right edge of a growing tree: all that is needed to append and to know the root, in O(log n) memory. */
export interface MerkleFrontier {
  size(): number
  /** Roots of the complete subtrees, largest first: one for each bit that is set in `size`. */
  nodes(): readonly Uint8Array[]
  /** Adds the hash of a leaf at the end. Amortised O(1). */
  append(leaf: Uint8Array): void
  /** Computes the tree's root (RFC 9162 §2.1.1): O(log n). The empty tree's is SHA-256 of nothing. */
  root(): Uint8Array
}

/**
 * Creates an empty frontier, or continues one of `size` leaves from its `nodes`. The caller proves such nodes by
 * comparing `root()` with a signed one. Throws a RangeError if the number of nodes does not fit the size.
 */
export function createMerkleFrontier(hash: Sha256, size = 0, nodes: readonly Uint8Array[] = []): MerkleFrontier {
  if (!Number.isSafeInteger(size) || size < 0 || countBits(size) !== nodes.length) {
    throw new RangeError(`a frontier of ${size} leaves cannot have ${nodes.length} nodes`)
  }
  const stack = [...nodes]
  let count = size
  return {
    size: () => count,
    nodes: () => [...stack],
    append(leaf) {
      let node = leaf
      for (let rest = count; rest % 2 === 1; rest = Math.floor(rest / 2)) {
        const left = stack.pop()
        if (left) node = hashMerkleNode(hash, left, node)
      }
      stack.push(node)
      count += 1
    },
    root: () => stack.toReversed().reduce<Uint8Array | undefined>(joinLeft(hash), undefined) ?? hash(),
  }
}

function joinLeft(hash: Sha256): (right: Uint8Array | undefined, left: Uint8Array) => Uint8Array {
  return (right, left) => (right ? hashMerkleNode(hash, left, right) : left)
}

function countBits(value: number): number {
  let bits = 0
  for (let rest = value; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2
  return bits
}
