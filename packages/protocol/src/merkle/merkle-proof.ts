import type { Sha256 } from '../sha256.ts'
import { createMerkleFrontier } from './merkle-frontier.ts'
import { hashMerkleNode, isSameHash } from './merkle-hash.ts'

/** Computes the root over the hashes of all leaves (RFC 9162 §2.1.1). */
export function computeMerkleRoot(hash: Sha256, leaves: readonly Uint8Array[]): Uint8Array {
  const frontier = createMerkleFrontier(hash)
  for (const leaf of leaves) frontier.append(leaf)
  return frontier.root()
}

/** Lists the hashes that lead from the leaf at `index` (from 0) to the root (RFC 9162 §2.1.3.1). */
export function createInclusionProof(hash: Sha256, leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  return createInclusionProver(hash, leaves)(index)
}

/**
 * Prepares the proofs of many leaves of one tree: each of its nodes is hashed once, when a proof first needs it. Throws a
 * RangeError for a leaf that the tree does not have.
 */
export function createInclusionProver(hash: Sha256, leaves: readonly Uint8Array[]): (index: number) => Uint8Array[] {
  const nodes = new Map<string, Uint8Array>()
  const rootOf = (start: number, size: number): Uint8Array => {
    const leaf = leaves[start]
    if (size === 1 && leaf) return leaf
    const key = `${start} ${size}`
    const known = nodes.get(key)
    if (known) return known
    const split = splitSize(size)
    const node = hashMerkleNode(hash, rootOf(start, split), rootOf(start + split, size - split))
    nodes.set(key, node)
    return node
  }
  return (index) => {
    if (index < 0 || index >= leaves.length) throw new RangeError(`no leaf ${index} in a tree of ${leaves.length}`)
    const path: Uint8Array[] = []
    for (let start = 0, size = leaves.length; size > 1;) {
      const split = splitSize(size)
      const isLeft = index < start + split
      path.push(isLeft ? rootOf(start + split, size - split) : rootOf(start, split))
      if (!isLeft) start += split
      size = isLeft ? split : size - split
    }
    return path.toReversed()
  }
}

/** What an inclusion proof claims: `leaf` is at `index` (from 0) of the tree of `size` leaves with this `root`. */
export interface InclusionClaim {
  readonly leaf: Uint8Array
  readonly index: number
  readonly size: number
  readonly root: Uint8Array
}

/**
 * Computes the root that a proof leads to (RFC 9162 §2.1.3.2); undefined if the proof has not exactly the length that index
 * and size give, or there is no such index.
 */
export function computeInclusionRoot(
  hash: Sha256,
  claim: Pick<InclusionClaim, 'leaf' | 'index' | 'size'>,
  proof: readonly Uint8Array[],
): Uint8Array | undefined {
  if (!isIndex(claim.index) || !isIndex(claim.size) || claim.index >= claim.size) return undefined
  let path = { node: claim.index, last: claim.size - 1 }
  let root = claim.leaf
  for (const sibling of proof) {
    if (path.last === 0) return undefined
    if (isRightEdge(path)) {
      root = hashMerkleNode(hash, sibling, root)
      path = climbToRightChild(path)
    } else {
      root = hashMerkleNode(hash, root, sibling)
    }
    path = climb(path)
  }
  return path.last === 0 ? root : undefined
}

/** Counts the hashes of the proof of the leaf at `index` (from 0) of `size`. Throws a RangeError for no such leaf. */
export function computeInclusionLength(index: number, size: number): number {
  if (!isIndex(index) || !isIndex(size) || index >= size) throw new RangeError(`no leaf ${index} in a tree of ${size}`)
  let length = 0
  let path = { node: index, last: size - 1 }
  for (; path.last > 0; length++) path = climb(isRightEdge(path) ? climbToRightChild(path) : path)
  return length
}

/** Tells whether `proof` proves the claim (RFC 9162 §2.1.3.2). */
export function verifyInclusionProof(hash: Sha256, claim: InclusionClaim, proof: readonly Uint8Array[]): boolean {
  const root = computeInclusionRoot(hash, claim, proof)
  return root !== undefined && isSameHash(root, claim.root)
}

/** Lists the hashes that show the first `size` leaves to be the start of all of them (RFC 9162 §2.1.4.1). */
export function createConsistencyProof(hash: Sha256, leaves: readonly Uint8Array[], size: number): Uint8Array[] {
  if (size < 1 || size > leaves.length) throw new RangeError(`no tree of ${size} within one of ${leaves.length}`)
  return subProof(hash, leaves, size, true)
}

/** What a consistency proof claims: the tree of `newSize` leaves starts with the one of `oldSize`. */
export interface ConsistencyClaim {
  readonly oldSize: number
  readonly oldRoot: Uint8Array
  readonly newSize: number
  readonly newRoot: Uint8Array
}

/** Tells whether `proof` proves the claim (RFC 9162 §2.1.4.2). An empty old tree proves nothing and is refused. */
export function verifyConsistencyProof(hash: Sha256, claim: ConsistencyClaim, proof: readonly Uint8Array[]): boolean {
  const { oldSize, newSize } = claim
  if (!isIndex(oldSize) || !isIndex(newSize) || oldSize < 1 || oldSize > newSize) return false
  if (oldSize === newSize) return proof.length === 0 && isSameHash(claim.oldRoot, claim.newRoot)
  const isPowerOfTwo = splitSize(oldSize + 1) === oldSize
  const [seed, ...rest] = isPowerOfTwo ? [claim.oldRoot, ...proof] : proof
  if (!seed) return false
  let path = { node: oldSize - 1, last: newSize - 1 }
  while (path.node % 2 === 1) path = climb(path)
  let oldRoot = seed
  let newRoot = seed
  for (const sibling of rest) {
    if (path.last === 0) return false
    if (isRightEdge(path)) {
      oldRoot = hashMerkleNode(hash, sibling, oldRoot)
      newRoot = hashMerkleNode(hash, sibling, newRoot)
      path = climbToRightChild(path)
    } else {
      newRoot = hashMerkleNode(hash, newRoot, sibling)
    }
    path = climb(path)
  }
  return path.last === 0 && isSameHash(oldRoot, claim.oldRoot) && isSameHash(newRoot, claim.newRoot)
}

/** A node on the way up, and the last node of its level. */
interface Path {
  readonly node: number
  readonly last: number
}

const climb = (path: Path): Path => ({ node: Math.floor(path.node / 2), last: Math.floor(path.last / 2) })

const isRightEdge = (path: Path): boolean => path.node % 2 === 1 || path.node === path.last

function climbToRightChild(from: Path): Path {
  let path = from
  while (path.node % 2 === 0 && path.node !== 0) path = climb(path)
  return path
}

const isIndex = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

/** The largest power of two below `size`. */
function splitSize(size: number): number {
  let split = 1
  while (split * 2 < size) split *= 2
  return split
}

function subProof(hash: Sha256, leaves: readonly Uint8Array[], size: number, isWhole: boolean): Uint8Array[] {
  if (size === leaves.length) return isWhole ? [] : [computeMerkleRoot(hash, leaves)]
  const split = splitSize(leaves.length)
  const left = leaves.slice(0, split)
  const right = leaves.slice(split)
  return size <= split
    ? [...subProof(hash, left, size, isWhole), computeMerkleRoot(hash, right)]
    : [...subProof(hash, right, size - split, false), computeMerkleRoot(hash, left)]
}
