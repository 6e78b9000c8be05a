import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMerkleFrontier } from './merkle-frontier.ts'
import { hashMerkleLeaf } from './merkle-hash.ts'
import {
  computeMerkleRoot,
  createConsistencyProof,
  createInclusionProof,
  verifyConsistencyProof,
  verifyInclusionProof,
} from './merkle-proof.ts'
import type { Sha256 } from '../sha256.ts'

const sha256: Sha256 = (...parts) => new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest())

const maxSize = 70
const leaves = Array.from({ length: maxSize }, (_, index) => hashMerkleLeaf(sha256, Uint8Array.of(index)))
const rootOf = (size: number): Uint8Array => computeMerkleRoot(sha256, leaves.slice(0, size))
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const flip = (bytes: Uint8Array): Uint8Array => bytes.map((byte, index) => (index === 5 ? byte ^ 1 : byte))

/** The definition of RFC 9162 §2.1.1, word for word. */
function defineRoot(entries: readonly Uint8Array[]): Uint8Array {
  const [only] = entries
  if (!only) return sha256()
  if (entries.length === 1) return only
  let split = 1
  while (split * 2 < entries.length) split *= 2
  return sha256(Uint8Array.of(1), defineRoot(entries.slice(0, split)), defineRoot(entries.slice(split)))
}

describe('createMerkleFrontier', () => {
  it('has the root of the definition at every size from 0 to 70, in at most log2 nodes', () => {
    const frontier = createMerkleFrontier(sha256)
    for (let size = 0; size <= maxSize; size++) {
      expect(hex(frontier.root())).toBe(hex(defineRoot(leaves.slice(0, size))))
      expect(frontier.nodes.length).toBeLessThanOrEqual(Math.ceil(Math.log2(size + 1)))
      const leaf = leaves[size]
      if (leaf) frontier.append(leaf)
    }
  })

  it('goes on from its nodes at every size', () => {
    const frontier = createMerkleFrontier(sha256)
    for (const leaf of leaves) {
      const resumed = createMerkleFrontier(sha256, frontier.size(), frontier.nodes())
      resumed.append(leaf)
      frontier.append(leaf)
      expect(hex(resumed.root())).toBe(hex(frontier.root()))
    }
  })

  it('refuses nodes that do not fit the size', () => {
    expect(() => createMerkleFrontier(sha256, 3, [rootOf(1)])).toThrow(RangeError)
  })

  it('has the roots of the certificate transparency test tree', () => {
    const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
    const frontier = createMerkleFrontier(sha256)
    for (const input of inputs) frontier.append(hashMerkleLeaf(sha256, new Uint8Array(Buffer.from(input, 'hex'))))
    expect(hex(frontier.root())).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328')
  })
})

describe('verifyInclusionProof', () => {
  it('accepts the proof of every leaf of every size', () => {
    for (let size = 1; size <= maxSize; size++) {
      const tree = leaves.slice(0, size)
      const root = rootOf(size)
      for (const [index, leaf] of tree.entries()) {
        const proof = createInclusionProof(sha256, tree, index)
        expect(verifyInclusionProof(sha256, { leaf, index, size, root }, proof)).toBe(true)
      }
    }
  })

  it('refuses another leaf, index, root, and a proof that is changed, longer or shorter', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: maxSize }), fc.nat(), fc.nat(), (size, pick, where) => {
        const tree = leaves.slice(0, size)
        const index = pick % size
        const leaf = tree[index] ?? rootOf(0)
        const root = rootOf(size)
        const proof = createInclusionProof(sha256, tree, index)
        const verify = (claim: object, path: readonly Uint8Array[] = proof): boolean =>
          verifyInclusionProof(sha256, { leaf, index, size, root, ...claim }, path)
        expect(verify({ leaf: flip(leaf) })).toBe(false)
        expect(verify({ root: flip(root) })).toBe(false)
        expect(verify({ index: (index + 1) % size })).toBe(false)
        expect(verify({ index: size })).toBe(false)
        expect(verify({ index: -1 })).toBe(false)
        expect(verify({}, proof.slice(1))).toBe(false)
        expect(verify({}, [...proof, root])).toBe(false)
        expect(
          verify(
            {},
            proof.map((node, at) => (at === where % proof.length ? flip(node) : node)),
          ),
        ).toBe(false)
      }),
    )
  })
})

describe('verifyConsistencyProof', () => {
  it('accepts the proof between every two sizes', () => {
    for (let newSize = 1; newSize <= maxSize; newSize++) {
      const tree = leaves.slice(0, newSize)
      const newRoot = rootOf(newSize)
      for (let oldSize = 1; oldSize <= newSize; oldSize++) {
        const proof = createConsistencyProof(sha256, tree, oldSize)
        const claim = { oldSize, oldRoot: rootOf(oldSize), newSize, newRoot }
        expect(verifyConsistencyProof(sha256, claim, proof)).toBe(true)
      }
    }
  })

  it('refuses a history that was rewritten, and a changed proof', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: maxSize }), fc.nat(), fc.nat(), (newSize, pick, where) => {
        const oldSize = 1 + (pick % (newSize - 1))
        const tree = leaves.slice(0, newSize)
        const proof = createConsistencyProof(sha256, tree, oldSize)
        const claim = { oldSize, oldRoot: rootOf(oldSize), newSize, newRoot: rootOf(newSize) }
        const verify = (change: object, path: readonly Uint8Array[] = proof): boolean =>
          verifyConsistencyProof(sha256, { ...claim, ...change }, path)
        expect(verify({ oldRoot: flip(claim.oldRoot) })).toBe(false)
        expect(verify({ newRoot: flip(claim.newRoot) })).toBe(false)
        expect(verify({ oldSize: 0 })).toBe(false)
        expect(verify({ oldSize: newSize + 1 })).toBe(false)
        expect(verify({}, proof.slice(0, -1))).toBe(false)
        expect(verify({}, [...proof, claim.newRoot])).toBe(false)
        expect(
          verify(
            {},
            proof.map((node, at) => (at === where % proof.length ? flip(node) : node)),
          ),
        ).toBe(false)
      }),
    )
  })
})
