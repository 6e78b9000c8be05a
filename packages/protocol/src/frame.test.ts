import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeFrame, encodeFrame, frameSignedBytes, hashEnvelopes, suites, type UnsignedEnvelope } from './frame.ts'
import { computeMerkleRoot } from './merkle/merkle-proof.ts'
import type { Sha256 } from './sha256.ts'
import { limits } from './limits.ts'
import { isMeshError } from './mesh-error.ts'

const sha256: Sha256 = (...parts) => new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest())
const signature = new Uint8Array(64).fill(7)
const prefixBytes = 4 + 3 + 64

function envelopeOf(header: string, bodyBytes = 0): UnsignedEnvelope {
  return { header: new TextEncoder().encode(header), body: new Uint8Array(bodyBytes), salt: new Uint8Array(16).fill(1) }
}

function encode(...envelopes: readonly UnsignedEnvelope[]): Uint8Array {
  return encodeFrame(suites.ed25519Sha256, signature, envelopes)
}

function codeOf(bytes: Uint8Array): string {
  const result = decodeFrame(sha256, bytes)
  return result.kind === 'deny' ? result.code : result.kind
}

function thrownCode(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    return isMeshError(error) ? error.code : String(error)
  }
}

const envelopes = fc.array(
  fc.record({
    header: fc.uint8Array({ minLength: 0, maxLength: 60 }),
    body: fc.uint8Array({ maxLength: 60 }),
    salt: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  }),
  { minLength: 1, maxLength: limits.frameEnvelopes },
)

describe('encodeFrame and decodeFrame', () => {
  it('give back what went in, with its leaves and what the signature is over', () => {
    fc.assert(
      fc.property(envelopes, fc.uint8Array({ minLength: 64, maxLength: 64 }), (sent, proof) => {
        const result = decodeFrame(sha256, encodeFrame(suites.ed25519Sha256, proof, sent))
        if (result.kind === 'deny') throw new Error(result.reason)
        const leaves = hashEnvelopes(sha256, sent)
        expect(result.frame.signature).toEqual(proof)
        expect(result.frame.envelopes).toEqual(sent.map((envelope, at) => ({ ...envelope, leaf: leaves[at] })))
        expect(result.frame.signedBytes).toEqual(frameSignedBytes(sha256, suites.ed25519Sha256, leaves))
      }),
    )
  })

  it('work on a view into a larger buffer', () => {
    const frame = encode(envelopeOf('{"a":1}', 5), envelopeOf('{"b":2}'))
    const larger = new Uint8Array(frame.length + 20).fill(0xee)
    larger.set(frame, 9)
    expect(codeOf(larger.subarray(9, 9 + frame.length))).toBe('allow')
  })

  it('change what is signed when any byte after the signature changes', () => {
    const frame = encode(envelopeOf('{"a":1}', 5), envelopeOf('{"b":2}', 3))
    const signedOf = (bytes: Uint8Array): string => {
      const result = decodeFrame(sha256, bytes)
      return result.kind === 'deny' ? result.code : Buffer.from(result.frame.signedBytes).toString('hex')
    }
    const altered = Array.from({ length: frame.length - prefixBytes }, (_, offset) => {
      const at = prefixBytes + offset
      return signedOf(frame.with(at, (frame[at] ?? 0) ^ 1))
    })
    expect(signedOf(frame)).toHaveLength(68)
    expect(altered).not.toContain(signedOf(frame))
  })
})

describe('decodeFrame', () => {
  it('never throws, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(codeOf(bytes)).toBe('iatp.frame-malformed')
      }),
    )
    const frame = encode(envelopeOf('{"a":1}', 20), envelopeOf('{"b":2}', 20))
    const spots = fc.array(fc.tuple(fc.nat(frame.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(spots, (changes) => {
        const altered = frame.slice()
        for (const [at, value] of changes) altered[at] = value
        expect(codeOf(altered)).toMatch(
          /^(?:allow|iatp\.(?:frame-malformed|frame-oversize|version-unsupported|suite-unsupported))$/,
        )
      }),
    )
  })

  it('refuses every shorter piece of a frame and every longer one', () => {
    const frame = encode(envelopeOf('{"a":1}', 5), envelopeOf('{"b":2}', 3))
    for (let length = 0; length < frame.length; length++)
      expect(codeOf(frame.subarray(0, length)), `${String(length)} bytes`).toBe('iatp.frame-malformed')
    expect(codeOf(Uint8Array.of(...frame, 0))).toBe('iatp.frame-malformed')
  })

  it('refuses another magic, version and suite, each with its code', () => {
    const frame = encode(envelopeOf('{}'))
    expect(codeOf(frame.with(0, 0x69))).toBe('iatp.frame-malformed')
    expect(codeOf(frame.with(4, 2))).toBe('iatp.version-unsupported')
    expect(codeOf(frame.with(5, 0))).toBe('iatp.suite-unsupported')
  })

  it('refuses no envelopes and more than 64', () => {
    const frame = encode(envelopeOf('{}'))
    expect(codeOf(frame.with(6, 0))).toBe('iatp.frame-malformed')
    expect(codeOf(frame.with(6, 65))).toBe('iatp.frame-malformed')
    expect(codeOf(frame.with(6, 255))).toBe('iatp.frame-malformed')
  })

  it('refuses a count that the envelopes do not have', () => {
    expect(codeOf(encode(envelopeOf('{}')).with(6, 2))).toBe('iatp.frame-malformed')
    expect(codeOf(encode(envelopeOf('{}'), envelopeOf('{}')).with(6, 1))).toBe('iatp.frame-malformed')
  })

  it('refuses lengths that are larger than the limits before it looks at the bytes', () => {
    const frame = encode(envelopeOf('{}'))
    expect(codeOf(frame.with(prefixBytes, 0xff))).toBe('iatp.frame-oversize')
    expect(codeOf(frame.with(prefixBytes + 4, 0xff))).toBe('iatp.frame-oversize')
  })

  it('refuses a bundle of more than 256 KiB, but takes one envelope of that size', () => {
    const alone = encode(envelopeOf('{}', limits.bundleBytes))
    expect(codeOf(alone)).toBe('allow')
    const bundle = new Uint8Array(alone.length + 24)
    bundle.set(alone)
    bundle[6] = 2
    expect(codeOf(bundle)).toBe('iatp.frame-oversize')
  })
})

describe('encodeFrame', () => {
  it('refuses what its own decoder would refuse', () => {
    const small = envelopeOf('{}')
    expect(thrownCode(() => encode())).toBe('iatp.frame-malformed')
    expect(thrownCode(() => encode(...Array.from({ length: 65 }, () => small)))).toBe('iatp.frame-oversize')
    expect(thrownCode(() => encode(small, envelopeOf('{}', limits.bundleBytes)))).toBe('iatp.frame-oversize')
    expect(thrownCode(() => encode(envelopeOf('{}', limits.bodyBytes + 1)))).toBe('iatp.frame-oversize')
    expect(thrownCode(() => encode(envelopeOf('x'.repeat(100_000))))).toBe('iatp.frame-oversize')
    expect(thrownCode(() => encode(envelopeOf('{}', limits.bodyBytes)))).toBeUndefined()
  })

  it('refuses a signature or a salt of another length, which would shift or blur the bytes', () => {
    const envelope = envelopeOf('{}')
    expect(thrownCode(() => encodeFrame(1, new Uint8Array(63), [envelope]))).toBe('iatp.frame-malformed')
    expect(thrownCode(() => encode({ ...envelope, salt: new Uint8Array(17) }))).toBe('iatp.frame-malformed')
  })
})

describe('frameSignedBytes', () => {
  it('are the suite, the leaf count and the root', () => {
    const leaves = hashEnvelopes(sha256, [envelopeOf('{"a":1}'), envelopeOf('{"b":2}'), envelopeOf('{"c":3}')])
    expect(frameSignedBytes(sha256, 1, leaves)).toEqual(Uint8Array.of(1, 3, ...computeMerkleRoot(sha256, leaves)))
  })

  it('signs no frame that has no leaves, or more than a frame holds', () => {
    expect(() => frameSignedBytes(sha256, 1, [])).toThrow(RangeError)
    expect(() =>
      frameSignedBytes(
        sha256,
        1,
        Array.from({ length: 65 }, () => sha256()),
      ),
    ).toThrow(RangeError)
  })
})
