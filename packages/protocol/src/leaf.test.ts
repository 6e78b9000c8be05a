import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { commitBody, hashLeaf, hashRoot, type Sha256 } from './leaf.ts'

const sha256: Sha256 = (...parts) => new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest())
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/**
 * RFC 9162 §2.1.1 from the bottom up: pairs of neighbours become nodes, and an odd one at the end rises as it is. The
 * code under test goes from the top down; both define the same tree.
 */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  let level = leaves
  while (level.length > 1) {
    const next: Uint8Array[] = []
    for (let at = 0; at < level.length; at += 2) {
      const [left, right] = level.slice(at, at + 2)
      if (left && right)
        next.push(
          createHash('sha256')
            .update(Buffer.concat([Buffer.of(1), left, right]))
            .digest(),
        )
      else if (left) next.push(left)
    }
    level = next
  }
  return level[0] ?? new Uint8Array()
}

describe('hashRoot', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 31, 33, 63, 64])('is the RFC 9162 root of %i leaves', (count) => {
    const leaves = Array.from({ length: count }, (_, at) => sha256(Uint8Array.of(at)))
    expect(hex(hashRoot(sha256, leaves))).toBe(hex(naiveRoot(leaves)))
  })

  it('depends on every leaf and on their order', () => {
    const leaves = Array.from({ length: 7 }, (_, at) => sha256(Uint8Array.of(at)))
    const roots = new Set([hex(hashRoot(sha256, leaves)), hex(hashRoot(sha256, leaves.toReversed()))])
    for (let at = 0; at < leaves.length; at++)
      roots.add(hex(hashRoot(sha256, leaves.with(at, sha256(Uint8Array.of(99))))))
    expect(roots.size).toBe(9)
  })

  it('has no root for no leaves', () => {
    expect(() => hashRoot(sha256, [])).toThrow(RangeError)
  })
})

describe('hashLeaf', () => {
  it('hashes 0x00, the domain, the header length, the header and the commitment', () => {
    const header = bytesOf('{"type":"event"}')
    const commitment = sha256(bytesOf('body'))
    const whole = Buffer.concat([Buffer.of(0), Buffer.from('iatp/1/frame'), Buffer.of(0, 0, 0, 16), header, commitment])
    expect(hex(hashLeaf(sha256, header, commitment))).toBe(createHash('sha256').update(whole).digest('hex'))
  })

  it('differs when a byte moves from the header to what follows', () => {
    const commitment = sha256(bytesOf('body'))
    const first = commitment.subarray(0, 1)
    const moved = hashLeaf(sha256, Buffer.concat([bytesOf('{}'), first]), commitment.subarray(1))
    expect(hex(moved)).not.toBe(hex(hashLeaf(sha256, bytesOf('{}'), commitment)))
  })

  it('is never a node: a root of two leaves cannot pass as a leaf', () => {
    const [left, right] = [sha256(bytesOf('a')), sha256(bytesOf('b'))]
    expect(hex(hashRoot(sha256, [left, right]))).not.toBe(hex(hashLeaf(sha256, left, right)))
  })
})

describe('commitBody', () => {
  it('hashes salt and body, so that equal bodies look different', () => {
    const body = bytesOf('yes')
    const salts = [new Uint8Array(16), new Uint8Array(16).fill(1)] as const
    expect(hex(commitBody(sha256, salts[0], body))).toBe(
      createHash('sha256')
        .update(Buffer.concat([salts[0], body]))
        .digest('hex'),
    )
    expect(hex(commitBody(sha256, salts[0], body))).not.toBe(hex(commitBody(sha256, salts[1], body)))
  })
})
