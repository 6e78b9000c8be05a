import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEvidence, decodeEvidence, encodeEvidence, type Evidence } from './evidence.ts'
import { decodeFrame, encodeFrame, frameSignedBytes, hashEnvelopes, suites, type Frame } from './frame.ts'
import { limits } from './limits.ts'
import { computeInclusionLength, createInclusionProof, verifyInclusionProof } from './merkle/merkle-proof.ts'
import { hashMerkleNode } from './merkle/merkle-hash.ts'
import { isMeshError } from './mesh-error.ts'
import type { Sha256 } from './sha256.ts'
import { verifyEvidence, type SignatureCheck } from './verify-evidence.ts'

const sha256: Sha256 = (...parts) => new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest())
const from = `did:key:z6Mk${'a'.repeat(44)}`
const keys = generateKeyPairSync('ed25519')
const inDomain = (bytes: Uint8Array): Buffer => Buffer.concat([Buffer.from('iatp/1/frame\0'), bytes])
const isSigned: SignatureCheck = (did, domain, bytes, signature) =>
  did === from && domain === 'iatp/1/frame' && verify(null, inDomain(bytes), keys.publicKey, signature)

function frameOf(count: number): Frame {
  const envelopes = Array.from({ length: count }, (_, at) => ({
    header: Buffer.from(
      JSON.stringify({
        type: 'event',
        id: String(at).padStart(22, 'i'),
        from,
        to: 'card',
        mesh: 'main',
        issuedAtMs: at,
        expiresAtMs: at + 1,
      }),
    ),
    body: Buffer.from(`body ${String(at)}`),
    salt: Buffer.alloc(16, at + 1),
  }))
  const signature = sign(
    null,
    inDomain(frameSignedBytes(sha256, suites.ed25519Sha256, hashEnvelopes(sha256, envelopes))),
    keys.privateKey,
  )
  const decoded = decodeFrame(sha256, encodeFrame(suites.ed25519Sha256, signature, envelopes))
  if (decoded.kind === 'deny') throw new Error(decoded.reason)
  return decoded.frame
}

function bytesOf(frame: Frame, index: number, withBody = true): Uint8Array {
  return encodeEvidence(createEvidence(sha256, frame, index, { withBody }))
}

function codeOf(bytes: Uint8Array): string {
  const result = verifyEvidence(sha256, bytes, isSigned)
  return result.kind === 'deny' ? result.code : result.kind
}

/** Writes evidence as it is given, without the checks of `encodeEvidence`. */
function write({ suite, leafCount, leafIndex, signature, path, header, content }: Evidence): Uint8Array {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(header.length)
  const isWhole = 'body' in content
  return Buffer.concat([
    Buffer.from('IATE'),
    Buffer.of(1, suite, isWhole ? 1 : 0, leafCount, leafIndex),
    signature,
    ...path,
    length,
    header,
    ...(isWhole ? [content.salt, content.body] : [content.commitment]),
  ])
}

describe('verifyEvidence', () => {
  it.each([1, 2, 3, 7, 64])('proves every envelope of a bundle of %i, with its body and without', (count) => {
    const frame = frameOf(count)
    for (const [index, envelope] of frame.envelopes.entries())
      for (const withBody of [true, false]) {
        const result = verifyEvidence(sha256, bytesOf(frame, index, withBody), isSigned)
        if (result.kind === 'deny') throw new Error(result.reason)
        const { verified } = result
        expect(verified.header.issuedAtMs).toBe(index)
        expect(verified.leaf).toEqual(envelope.leaf)
        expect(verified.commitment).toEqual(sha256(envelope.salt, envelope.body))
        expect(verified.body).toEqual(withBody ? envelope.body : undefined)
        expect(verified.evidence.path).toHaveLength(computeInclusionLength(index, count))
      }
  })

  it('refuses every changed byte', () => {
    const whole = bytesOf(frameOf(7), 4)
    for (let at = 0; at < whole.length; at++)
      expect(codeOf(whole.map((byte, place) => (place === at ? byte ^ 0x01 : byte))), `byte ${String(at)}`).not.toBe(
        'allow',
      )
  })

  it('refuses every shorter piece, and anything that follows', () => {
    for (const withBody of [true, false]) {
      const whole = bytesOf(frameOf(3), 2, withBody)
      for (let length = 0; length < whole.length; length++)
        expect(codeOf(whole.subarray(0, length)), String(length)).not.toBe('allow')
      expect(codeOf(Buffer.concat([whole, Buffer.of(0)]))).not.toBe('allow')
    }
  })

  it('refuses a path that is longer or shorter than index and count say, or is for another place', () => {
    const frame = frameOf(7)
    const evidence = createEvidence(sha256, frame, 4)
    const { path } = evidence
    const variants: readonly Partial<Evidence>[] = [
      { path: path.slice(1) },
      { path: [...path, ...path.slice(0, 1)] },
      { leafIndex: 5 },
      { leafIndex: 7 },
      { leafCount: 8 },
      { leafCount: 6 },
      { leafCount: 0 },
      { leafCount: limits.frameEnvelopes + 1 },
    ]
    expect(codeOf(write(evidence))).toBe('allow')
    for (const variant of variants) expect(codeOf(write({ ...evidence, ...variant }))).not.toBe('allow')
  })

  it('refuses a node of the tree that is passed off as a leaf', () => {
    const frame = frameOf(4)
    const leaves = frame.envelopes.map(({ leaf }) => leaf)
    const [first, second, third, fourth] = leaves
    if (!first || !second || !third || !fourth) throw new Error('four leaves')
    const left = hashMerkleNode(sha256, first, second)
    const right = hashMerkleNode(sha256, third, fourth)
    const root = hashMerkleNode(sha256, left, right)
    // To the tree alone a node of four leaves is a leaf of two: it is the entry's own hash and the signed count that tell.
    expect(verifyInclusionProof(sha256, { leaf: left, index: 0, size: 2, root }, [right])).toBe(true)
    const { signature } = frame
    const asLeaf = { suite: 1, leafCount: 2, leafIndex: 0, signature, path: [right] }
    const disguises: readonly Pick<Evidence, 'header' | 'content'>[] = [
      { header: Buffer.alloc(0), content: { commitment: left } },
      { header: first, content: { commitment: second } },
      { header: Buffer.concat([first, second]), content: { commitment: left } },
      { header: frame.envelopes[0]?.header ?? first, content: { commitment: left } },
    ]
    for (const disguise of disguises)
      for (const leafCount of [2, 4]) expect(codeOf(write({ ...asLeaf, ...disguise, leafCount }))).not.toBe('allow')
  })

  it('refuses a signature that does not count the leaves, though the root is the same', () => {
    const frame = frameOf(1)
    const evidence = createEvidence(sha256, frame, 0)
    const signedTwo = Buffer.concat([Buffer.of(1, 2), frame.signedBytes.subarray(2)])
    const signature = sign(null, inDomain(signedTwo), keys.privateKey)
    expect(codeOf(write({ ...evidence, signature }))).toBe('identity.signature-invalid')
  })

  it('refuses a body that is not the one of the commitment', () => {
    const evidence = createEvidence(sha256, frameOf(2), 1)
    const content = { salt: Buffer.alloc(16, 2), body: Buffer.from('body 2') }
    expect(codeOf(write({ ...evidence, content }))).toBe('identity.signature-invalid')
  })

  it('never throws, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const bytesOfEvidence = Buffer.concat([Buffer.from('IATE'), Buffer.of(1, 1), bytes])
        expect(codeOf(bytesOfEvidence)).not.toBe('allow')
        expect(codeOf(bytes)).not.toBe('allow')
      }),
    )
  })
})

describe('encodeEvidence and decodeEvidence', () => {
  it('give back what went in', () => {
    for (const withBody of [true, false]) {
      const evidence = createEvidence(sha256, frameOf(7), 6, { withBody })
      const decoded = decodeEvidence(encodeEvidence(evidence))
      if (decoded.kind === 'deny') throw new Error(decoded.reason)
      expect(write(decoded.evidence)).toEqual(Buffer.from(encodeEvidence(evidence)))
      expect(decoded.evidence).toMatchObject({ leafCount: 7, leafIndex: 6, suite: 1 })
    }
  })

  it('throw for parts of a wrong length instead of writing what nobody can read', () => {
    const evidence = createEvidence(sha256, frameOf(3), 1)
    const wrong: readonly Partial<Evidence>[] = [
      { signature: Buffer.alloc(63) },
      { path: evidence.path.slice(1) },
      { path: [...evidence.path.slice(1), Buffer.alloc(31)] },
      { content: { commitment: Buffer.alloc(31) } },
      { content: { salt: Buffer.alloc(17), body: Buffer.alloc(3) } },
      { leafIndex: 3 },
    ]
    for (const part of wrong) {
      let code: string | undefined
      try {
        encodeEvidence({ ...evidence, ...part })
      } catch (error) {
        code = isMeshError(error) ? error.code : undefined
      }
      expect(code).toBe('iatp.evidence-malformed')
    }
  })

  it('know the length of every path', () => {
    const leaves = Array.from({ length: 70 }, (_, at) => sha256(Uint8Array.of(at)))
    for (let size = 1; size <= leaves.length; size++)
      for (let index = 0; index < size; index++)
        expect(computeInclusionLength(index, size)).toBe(
          createInclusionProof(sha256, leaves.slice(0, size), index).length,
        )
  })
})
