import { fromSeed } from '@nats-io/jwt'
import { createSeededRandom } from '@parley/ports'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createNkey, generateUserNkey, isUserNkey, type NkeyKind } from './nkey.ts'

const seed = fc.uint8Array({ minLength: 32, maxLength: 32 })

describe('createNkey', () => {
  it('makes what the library of NATS reads, for every kind', () => {
    fc.assert(
      fc.property(seed, fc.constantFrom<NkeyKind[]>('O', 'A', 'U'), (bytes, kind) => {
        const { nkey, seed: text } = createNkey(kind, bytes)
        const pair = fromSeed(Buffer.from(text))
        expect(Buffer.from(pair.getSeed()).toString()).toBe(text)
        expect(pair.getPublicKey()).toBe(nkey)
        expect(nkey.startsWith(kind)).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  it('refuses a seed of another length', () => {
    expect(() => createNkey('U', new Uint8Array(31))).toThrow(RangeError)
  })
})

describe('isUserNkey', () => {
  it('takes a user key, and no other kind, seed, spelling or changed character', () => {
    const bytes = createSeededRandom(1).bytes(32)
    const { nkey, seed: secret } = createNkey('U', bytes)
    expect(isUserNkey(nkey)).toBe(true)
    for (const other of [createNkey('A', bytes).nkey, secret, nkey.toLowerCase(), `${nkey} `, `${nkey}A`, '', 1])
      expect(isUserNkey(other)).toBe(false)
    for (let at = 1; at < nkey.length; at++) {
      const changed = nkey.slice(0, at) + (nkey[at] === 'A' ? 'B' : 'A') + nkey.slice(at + 1)
      expect(isUserNkey(changed), changed).toBe(false)
    }
  })

  it('takes what is drawn anew', () => {
    expect(isUserNkey(generateUserNkey(createSeededRandom(2)).nkey)).toBe(true)
  })
})
