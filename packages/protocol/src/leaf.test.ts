import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { commitBody, hashLeaf } from './leaf.ts'
import { computeMerkleRoot } from './merkle/merkle-proof.ts'
import type { Sha256 } from './sha256.ts'

const sha256: Sha256 = (...parts) => new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest())
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

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
    expect(hex(computeMerkleRoot(sha256, [left, right]))).not.toBe(hex(hashLeaf(sha256, left, right)))
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
