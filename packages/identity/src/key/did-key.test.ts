import { readFileSync } from 'node:fs'
import { Point } from '@noble/ed25519'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBase58, encodeBase58 } from './base58.ts'
import { decideDidKey, formatDidKey, isInstanceDid, parseDidKey } from './did-key.ts'
import { createKeySigner } from './key-signer.ts'
import { isSafePublicKey } from './point.ts'

interface DidKeyVector {
  readonly seed: string
  readonly verificationKeyPair: { readonly publicKeyBase58?: string; readonly publicKeyJwk?: { readonly x: string } }
}

const vectors = Object.entries(
  JSON.parse(
    readFileSync(new URL('../../../../protocol/vectors/third-party/did-key-ed25519.json', import.meta.url), 'utf8'),
  ) as Record<string, DidKeyVector>,
)
const [knownDid = ''] = vectors[0] ?? []
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
const withPrefix = (...bytes: readonly number[]): string =>
  `did:key:z${encodeBase58(Uint8Array.from([...bytes, ...parseDidKey(knownDid)]))}`

describe('parseDidKey', () => {
  it('agrees with the published vectors', () => {
    expect(vectors).toHaveLength(5)
    for (const [did, vector] of vectors) {
      const { publicKeyBase58, publicKeyJwk } = vector.verificationKeyPair
      const publicKey =
        publicKeyBase58 === undefined
          ? new Uint8Array(Buffer.from(publicKeyJwk?.x ?? '', 'base64url'))
          : decodeBase58(publicKeyBase58)
      expect(parseDidKey(did)).toEqual(publicKey)
      expect(formatDidKey(publicKey ?? new Uint8Array())).toBe(did)
      expect(createKeySigner(hex(vector.seed)).did).toBe(did)
    }
  })

  it('returns the key that formatDidKey wrote', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }).filter(isSafePublicKey), (publicKey) => {
        expect(parseDidKey(formatDidKey(publicKey))).toEqual(publicKey)
      }),
    )
  })

  it.each([
    ['nothing', ''],
    ['another method', knownDid.replace('did:key:', 'did:web:')],
    ['another multibase', knownDid.replace('did:key:z', 'did:key:u')],
    ['a fragment', `${knownDid}#${knownDid.slice(8)}`],
    ['a leading zero in base58', knownDid.replace('did:key:z', 'did:key:z1')],
    ['a character outside base58', `${knownDid.slice(0, -1)}0`],
    ['a trailing space', `${knownDid} `],
    ['upper case', knownDid.toUpperCase()],
    ['the codec of X25519', withPrefix(0xec, 0x01)],
    ['the codec of secp256k1', withPrefix(0xe7, 0x01)],
    ['a longer spelling of the codec', withPrefix(0xed, 0x81, 0x00)],
    ['a missing codec', withPrefix()],
    ['a hundred thousand characters', `did:key:z${'6'.repeat(100_000)}`],
  ])('refuses %s', (_, did) => {
    expect(decideDidKey(did)).toMatchObject({ kind: 'deny', code: 'identity.did-invalid' })
    expect(isInstanceDid(did)).toBe(false)
    expect(() => parseDidKey(did)).toThrow(expect.objectContaining({ code: 'identity.did-invalid' }))
  })
})

const prime = 2n ** 255n - 19n
const littleEndian = (value: bigint): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn))
const octic = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n
const smallOrder = [0n, 1n, prime - 1n, octic, prime - octic]
const nonCanonical = Array.from({ length: 19 }, (_, offset) => prime + BigInt(offset))
const signBit = 1n << 255n

describe('isSafePublicKey', () => {
  it('refuses every small-order point with either sign', () => {
    for (const y of smallOrder) {
      expect(isSafePublicKey(littleEndian(y))).toBe(false)
      expect(isSafePublicKey(littleEndian(y | signBit))).toBe(false)
    }
  })

  it('names the five coordinates that the curve says are of small order', () => {
    for (const y of smallOrder) expect(Point.fromBytes(littleEndian(y)).isSmallOrder()).toBe(true)
    expect(new Set(smallOrder).size).toBe(5)
  })

  it('refuses every coordinate at or above the field prime with either sign', () => {
    for (const y of nonCanonical) {
      expect(isSafePublicKey(littleEndian(y))).toBe(false)
      expect(isSafePublicKey(littleEndian(y | signBit))).toBe(false)
    }
  })

  it('accepts the neighbours of what it refuses', () => {
    for (const y of [2n, prime - 2n, octic + 1n, prime - octic + 1n])
      expect(isSafePublicKey(littleEndian(y))).toBe(true)
  })

  it('refuses other lengths', () => {
    expect(isSafePublicKey(new Uint8Array(31).fill(7))).toBe(false)
    expect(isSafePublicKey(new Uint8Array(33).fill(7))).toBe(false)
  })
})

describe('formatDidKey', () => {
  it('refuses a key that may not enter', () => {
    expect(() => formatDidKey(littleEndian(1n))).toThrow(expect.objectContaining({ code: 'identity.key-unsafe' }))
  })

  it('leaves no DID by which a small-order key could enter', () => {
    const did = `did:key:z${encodeBase58(Uint8Array.from([0xed, 0x01, ...littleEndian(prime - octic)]))}`
    expect(decideDidKey(did)).toMatchObject({ kind: 'deny', code: 'identity.key-unsafe' })
  })
})
