import { createSeededRandom } from '@parley/ports'
import { fromPublic, fromSeed } from '@nats-io/nkeys'
import { describe, expect, it } from 'vitest'
import { createUserNkey, isUserNkey } from './nkey.ts'

const random = createSeededRandom(3)
const encoder = new TextEncoder()

describe('createUserNkey', () => {
  it('makes keys that the NATS library takes and agrees about', () => {
    for (let round = 0; round < 20; round++) {
      const nkey = createUserNkey(random)
      const pair = fromSeed(encoder.encode(nkey.seed()))
      expect(pair.getPublicKey()).toBe(nkey.publicKey)
      const challenge = encoder.encode('nonce')
      expect(fromPublic(nkey.publicKey).verify(challenge, pair.sign(challenge))).toBe(true)
      expect(isUserNkey(nkey.publicKey)).toBe(true)
    }
  })

  it('shows its seed to nobody who prints it', () => {
    const nkey = createUserNkey(random)
    expect(JSON.stringify(nkey)).not.toContain(nkey.seed())
  })
})

describe('isUserNkey', () => {
  it('refuses every change of one character', () => {
    const { publicKey } = createUserNkey(random)
    for (let at = 0; at < publicKey.length; at++) {
      const other = publicKey[at] === 'A' ? 'B' : 'A'
      expect(isUserNkey(publicKey.slice(0, at) + other + publicKey.slice(at + 1))).toBe(false)
    }
  })

  it('refuses a seed, a key of another kind, a key of small order, and what is no text', () => {
    const nkey = createUserNkey(random)
    expect(isUserNkey(nkey.seed())).toBe(false)
    // An account's key (prefix A), the key of order 1 as a user's (RFC 8032 encoding 01 00 …), checksums right.
    expect(isUserNkey('ACG56IRQTN675QSGTOBZ3NODCXACAGODHIYZAYHKUREYNGNUYWO564HB')).toBe(false)
    expect(isUserNkey('UAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABVBG')).toBe(false)
    expect(isUserNkey(undefined)).toBe(false)
    expect(isUserNkey(nkey.publicKey.toLowerCase())).toBe(false)
  })
})
