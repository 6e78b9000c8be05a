import { createSeededRandom } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { parseDidKey } from '../key/did-key.ts'
import { createKeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import { createOwnerKeySet, formatDidDocument, hashOwnerKeySet, readOwnerKeySet } from './owner-key-set.ts'

const random = createSeededRandom(4)
const draw = (): `did:key:z${string}` => createKeySigner(generateSeed(random)).did
const [one, two] = [draw(), draw()]
const did = 'did:web:acme.example'
const jwk = (x: string): Record<string, string> => ({ kty: 'OKP', crv: 'Ed25519', x })
const withMethod = (method: Record<string, unknown>): Parameters<typeof readOwnerKeySet>[0] =>
  ({ id: did, assertionMethod: [{ id: `${did}#a`, controller: did, ...method }] }) as never

describe('readOwnerKeySet', () => {
  it('reads what formatDidDocument writes', () => {
    const set = createOwnerKeySet({
      threshold: 1,
      keys: [two, one, two],
      next: hashOwnerKeySet({ threshold: 1, keys: [one] }),
    })
    expect(set.keys).toEqual([one, two].toSorted())
    expect(readOwnerKeySet(formatDidDocument(did, set))).toEqual(set)
  })

  it('reads a JWK as the same key', () => {
    const x = Buffer.from(parseDidKey(one)).toString('base64url')
    expect(readOwnerKeySet(withMethod({ type: 'JsonWebKey2020', publicKeyJwk: jwk(x) }))).toEqual({
      threshold: 1,
      keys: [one],
    })
  })

  it('takes only keys that may assert', () => {
    const document = formatDidDocument(did, { threshold: 1, keys: [one, two] })
    const [first] = document.verificationMethod ?? []
    expect(readOwnerKeySet({ ...document, assertionMethod: [first?.id ?? ''] }).keys).toHaveLength(1)
    expect(() => readOwnerKeySet({ ...document, assertionMethod: [] })).toThrow(/1 to 8 keys/)
    expect(() => readOwnerKeySet({ ...document, assertionMethod: ['#nowhere'] })).toThrow(/not in it/)
  })

  it('refuses small-order and non-canonical keys wherever they stand', () => {
    const order1 = Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]).toString('base64url')
    const notCanonical = Buffer.concat([Buffer.from([0xee]), Buffer.alloc(30, 0xff), Buffer.from([0x7f])])
    for (const x of [order1, notCanonical.toString('base64url')])
      expect(() => readOwnerKeySet(withMethod({ type: 'JsonWebKey', publicKeyJwk: jwk(x) }))).toThrow(/order/)
    const identity = 'z6MkeTG3bFFSLYVU7VqhgZxqr6YzpaGrQtFMh1uvqGy1vDnP'
    expect(() => readOwnerKeySet(withMethod({ type: 'Multikey', publicKeyMultibase: identity }))).toThrow(/order/)
  })

  it('leaves other kinds of keys out, and refuses a set of none', () => {
    for (const method of [
      { type: 'Multikey', publicKeyMultibase: 'z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc' },
      { type: 'JsonWebKey2020', publicKeyJwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' } },
      { type: 'Other' },
    ])
      expect(() => readOwnerKeySet(withMethod(method))).toThrow(/1 to 8 keys/)
  })

  it('refuses k of n until it is supported, never counting one signature for two', () => {
    const sound = formatDidDocument(did, { threshold: 1, keys: [one, two] })
    const document = { ...sound, parley: { threshold: 2 } }
    expect(() => readOwnerKeySet(document)).toThrow(/2 of 2 signatures are not supported/)
    for (const threshold of [0, 3, 1.5, '1'])
      expect(() => readOwnerKeySet(Object.assign({ ...sound }, { parley: { threshold } }))).toThrow(/key/)
  })
})

describe('hashOwnerKeySet', () => {
  it('depends on every member and not on the order of keys', () => {
    const base = hashOwnerKeySet({ threshold: 1, keys: [one, two] })
    expect(hashOwnerKeySet({ threshold: 1, keys: [two, one] })).toBe(base)
    expect(hashOwnerKeySet({ threshold: 2, keys: [one, two] })).not.toBe(base)
    expect(hashOwnerKeySet({ threshold: 1, keys: [one] })).not.toBe(base)
    expect(hashOwnerKeySet({ threshold: 1, keys: [one, two], next: base })).not.toBe(base)
  })
})
