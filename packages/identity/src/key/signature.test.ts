import { readFileSync } from 'node:fs'
import { verifyAsync } from '@noble/ed25519'
import { createSeededRandom } from '@parley/ports'
import { signingDomains } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeBase58 } from './base58.ts'
import { createKeySigner } from './key-signer.ts'
import { verifySignaturePortably, verifySigningInputPortably } from './portable-signature.ts'
import { createPortableSigner } from './portable-signer.ts'
import { generateSeed } from './seed.ts'
import { verifySignature, verifySigningInput } from './signature.ts'

interface WycheproofFile {
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string }
    readonly tests: readonly {
      readonly tcId: number
      readonly msg: string
      readonly sig: string
      readonly result: 'valid' | 'invalid'
    }[]
  }[]
}

interface SpeccheckCase {
  readonly message: string
  readonly pub_key: string
  readonly signature: string
}

const readVectors = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../../protocol/vectors/third-party/${name}`, import.meta.url), 'utf8'))
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
/** Spells any key as a DID, also one that formatDidKey refuses. */
const spell = (publicKey: string): string => `did:key:z${encodeBase58(hex(`ed01${publicKey}`))}`

const wycheproof = (readVectors('wycheproof-ed25519.json') as WycheproofFile).testGroups.flatMap((group) =>
  group.tests.map((test) => ({ ...test, did: spell(group.publicKey.pk) })),
)
const speccheck = readVectors('ed25519-speccheck.json') as readonly SpeccheckCase[]

const verifiers = [
  ['verifySigningInput', async (...args: Parameters<typeof verifySigningInput>) => verifySigningInput(...args)],
  ['verifySigningInputPortably', verifySigningInputPortably],
] as const

describe.each(verifiers)('%s', (_, verifier) => {
  it('agrees with all 151 Wycheproof cases', async () => {
    expect(wycheproof).toHaveLength(151)
    const wrong: number[] = []
    for (const test of wycheproof) {
      if ((await verifier(test.did, hex(test.msg), hex(test.sig))) !== (test.result === 'valid')) wrong.push(test.tcId)
    }
    expect(wrong).toEqual([])
  })

  it('gives the one verdict of the mesh on the twelve cases that divide verifiers', async () => {
    const verdicts: string[] = []
    for (const test of speccheck) {
      const holds = await verifier(spell(test.pub_key), hex(test.message), hex(test.signature))
      verdicts.push(holds ? 'V' : 'X')
    }
    expect(verdicts.join('')).toBe('XXXVXXXXXXXX')
  })
})

describe('verifySignature', () => {
  const random = createSeededRandom(1)
  const signer = createKeySigner(generateSeed(random))

  it('refuses the identity point as a key, for which S = 0 solves the equation for any message', async () => {
    const identity = `01${'00'.repeat(31)}`
    const signature = hex(identity + '00'.repeat(32))
    const message = Buffer.from('pay everything')
    expect(await verifyAsync(signature, message, hex(identity))).toBe(true)
    expect(verifySignature(spell(identity), 'iatp/1/frame', message, signature)).toBe(false)
    expect(await verifySignaturePortably(spell(identity), 'iatp/1/frame', message, signature)).toBe(false)
  })

  it('refuses a signature that was made in another domain', async () => {
    const bytes = Buffer.from('eyJ0')
    for (const signed of Object.values(signingDomains)) {
      const signature = await signer.sign(signed, bytes)
      for (const domain of Object.values(signingDomains)) {
        expect(verifySignature(signer.did, domain, bytes, signature)).toBe(domain === signed)
      }
    }
  })

  it('refuses one changed bit anywhere', async () => {
    const bytes = random.bytes(40)
    const signature = await signer.sign('iatp/1/frame', bytes)
    const flip = (source: Uint8Array, bit: number): Uint8Array => {
      const copy = source.slice()
      copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      return copy
    }
    for (let bit = 0; bit < 512; bit++) {
      expect(verifySignature(signer.did, 'iatp/1/frame', bytes, flip(signature, bit))).toBe(false)
    }
    for (let bit = 0; bit < 320; bit++) {
      expect(verifySignature(signer.did, 'iatp/1/frame', flip(bytes, bit), signature)).toBe(false)
    }
  })

  it('refuses a signature of another length and a DID that is none', async () => {
    const signature = await signer.sign('iatp/1/frame', Buffer.from('x'))
    const longer = Buffer.concat([signature, Buffer.from([0])])
    expect(verifySignature(signer.did, 'iatp/1/frame', Buffer.from('x'), longer)).toBe(false)
    expect(verifySignature(signer.did, 'iatp/1/frame', Buffer.from('x'), signature.subarray(0, 63))).toBe(false)
    expect(verifySignature('did:web:acme.example', 'iatp/1/frame', Buffer.from('x'), signature)).toBe(false)
  })

  it('still verifies a key after more others than the memo holds', async () => {
    const signature = await signer.sign('iatp/1/frame', Buffer.from('x'))
    const stranger = hex('00'.repeat(64))
    for (let index = 0; index < 4200; index++) {
      const publicKey = Buffer.alloc(32, 9)
      publicKey.writeUInt16LE(index)
      verifySignature(spell(publicKey.toString('hex')), 'iatp/1/frame', Buffer.from('x'), stranger)
    }
    expect(verifySignature(signer.did, 'iatp/1/frame', Buffer.from('x'), signature)).toBe(true)
  })
})

describe('createKeySigner', () => {
  it('makes the same DID and signature bytes as createPortableSigner, and each verifies the other', async () => {
    const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 })
    await fc.assert(
      fc.asyncProperty(seeds, fc.uint8Array({ maxLength: 200 }), async (seed, bytes) => {
        const native = createKeySigner(seed)
        const portable = await createPortableSigner(seed)
        expect(portable.did).toBe(native.did)
        const signature = await native.sign('parley/1/checkpoint', bytes)
        expect(await portable.sign('parley/1/checkpoint', bytes)).toEqual(signature)
        expect(verifySignature(native.did, 'parley/1/checkpoint', bytes, signature)).toBe(true)
        expect(await verifySignaturePortably(native.did, 'parley/1/checkpoint', bytes, signature)).toBe(true)
      }),
      { numRuns: 25 },
    )
  })

  it('refuses a domain outside the closed list, and token bytes that another domain could own', async () => {
    const signer = createKeySigner(generateSeed(createSeededRandom(2)))
    await expect(signer.sign('iatp/2/frame', Buffer.from('x'))).rejects.toMatchObject({
      code: 'identity.domain-unknown',
    })
    await expect(signer.sign('jwt', Buffer.from('iatp/1/frame\0x'))).rejects.toMatchObject({
      code: 'identity.domain-unknown',
    })
  })

  it('refuses a seed of another length', async () => {
    expect(() => createKeySigner(new Uint8Array(31))).toThrow(/32 bytes/)
    await expect(createPortableSigner(new Uint8Array(64))).rejects.toMatchObject({ code: 'identity.key-file-invalid' })
  })

  it('shows the seed nowhere', () => {
    const seed = generateSeed(createSeededRandom(3))
    const shown = JSON.stringify(createKeySigner(seed))
    expect(shown).not.toContain(Buffer.from(seed).toString('hex'))
    expect(shown).not.toContain(Buffer.from(seed).toString('base64url'))
  })
})
