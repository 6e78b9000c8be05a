import { AEAD_EXPORT_ONLY, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from 'hpke'
import { createSeededRandom, type Random } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createKeyAgreement, type SecretExporter } from './key-agreement.ts'
import { createHmacKdf } from './hmac-kdf.ts'
import { createX25519Kem } from './x25519-kem.ts'

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
const hexOf = (value: Uint8Array): string => Buffer.from(value).toString('hex')
const info = bytes('4f6465206f6e2061204772656369616e2055726e')

/** RFC 9180 A.7.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, export-only, base mode. */
const published = {
  ephemeral: '095182b502f1f91f63ba584c7c3ec473d617b8b4c2cec3fad5af7fa6748165ed',
  recipientPublic: '194141ca6c3c3beb4792cd97ba0ea1faff09d98435012345766ee33aae2d7664',
  recipientPrivate: '33d196c830a12f9ac65d6e565a590d80f04ee9b19c83c87f2c170d972a812848',
  recipientSeed: '683ae0da1d22181e74ed2e503ebf82840deb1d5e872cade20f4b458d99783e31',
  encapsulated: 'e5e8f9bfff6c2f29791fc351d2c25ce1299aa5eaca78a757c0b4fb4bcd830918',
  exports: [
    ['', '7a36221bd56d50fb51ee65edfd98d06a23c4dc87085aa5866cb7087244bd2a36'],
    ['00', 'd5535b87099c6c3ce80dc112a2671c6ec8e811a2f284f948cec6dd1708ee33f0'],
    ['54657374436f6e74657874', 'ffaabc85a776136ca0c378e5d084c9140ab552b78f039d2e8775f26efff4c70e'],
  ],
} as const

const fixed = (hex: string): Random => ({ bytes: () => bytes(hex), float: () => 0 })

function exporterOf(
  made: { readonly kind: 'allow'; readonly exportSecret: SecretExporter } | { readonly kind: 'deny' },
) {
  if (made.kind === 'deny') throw new Error('refused')
  return made.exportSecret
}

describe('createKeyAgreement', () => {
  it('derives what RFC 9180 publishes, on both sides', async () => {
    const made = await createKeyAgreement(fixed(published.ephemeral)).encapsulate(
      bytes(published.recipientPublic),
      info,
    )
    expect(made).toMatchObject({ kind: 'allow', encapsulated: bytes(published.encapsulated) })
    const share = await createKeyAgreement(fixed(published.recipientPrivate)).createShare()
    expect(hexOf(share.publicKey)).toBe(published.recipientPublic)
    const taken = await share.accept(bytes(published.encapsulated), info)
    for (const [context, exported] of published.exports)
      for (const side of [made, taken]) expect(hexOf(await exporterOf(side)(bytes(context), 32))).toBe(exported)
  })

  it('understands, and is understood by, the WebCrypto suite of the library', async () => {
    const theirs = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_EXPORT_ONLY)
    const ours = createKeyAgreement(createSeededRandom(4))
    const pair = await theirs.GenerateKeyPair(true)
    const made = await ours.encapsulate(await theirs.SerializePublicKey(pair.publicKey), info)
    if (made.kind === 'deny') throw new Error(made.reason)
    const received = await theirs.ReceiveExport(pair, made.encapsulated, bytes('01'), 100, { info })
    expect(hexOf(await made.exportSecret(bytes('01'), 100))).toBe(hexOf(received))

    const share = await ours.createShare()
    const sent = await theirs.SendExport(await theirs.DeserializePublicKey(share.publicKey), bytes('02'), 44, { info })
    const taken = await share.accept(sent.encapsulatedSecret, info)
    expect(hexOf(await exporterOf(taken)(bytes('02'), 44))).toBe(hexOf(sent.exportedSecret))
  })

  it('gives other bytes for another context, transcript or share', async () => {
    const agreement = createKeyAgreement(createSeededRandom(1))
    const [share, other] = [await agreement.createShare(), await agreement.createShare()]
    const made = await agreement.encapsulate(share.publicKey, info)
    if (made.kind === 'deny') throw new Error(made.reason)
    const secrets = [
      await made.exportSecret(bytes('01'), 32),
      await made.exportSecret(bytes('02'), 32),
      await exporterOf(await share.accept(made.encapsulated, bytes('00')))(bytes('01'), 32),
      await exporterOf(await other.accept(made.encapsulated, info))(bytes('01'), 32),
    ].map(hexOf)
    expect(new Set(secrets).size).toBe(4)
  })

  it('is the same for the same seed', async () => {
    const run = async (seed: number): Promise<string> => {
      const agreement = createKeyAgreement(createSeededRandom(seed))
      const made = await agreement.encapsulate((await agreement.createShare()).publicKey, info)
      return hexOf(await exporterOf(made)(bytes('01'), 32))
    }
    expect(await run(7)).toBe(await run(7))
    expect(await run(7)).not.toBe(await run(8))
  })

  // Points of small order of RFC 7748 §6.1 and their aliases: they agree on zero with everybody.
  it.each([
    '00'.repeat(32),
    `01${'00'.repeat(31)}`,
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    `ec${'ff'.repeat(30)}7f`,
    `ed${'ff'.repeat(30)}7f`,
    `ee${'ff'.repeat(30)}7f`,
  ])('refuses the key %s, with which everybody agrees on the same', async (hex) => {
    const agreement = createKeyAgreement(createSeededRandom(2))
    expect(await agreement.encapsulate(bytes(hex), info)).toMatchObject({ code: 'iatp.handshake-failed' })
    const share = await agreement.createShare()
    expect(await share.accept(bytes(hex), info)).toMatchObject({ code: 'iatp.handshake-failed' })
  })

  it.each([0, 31, 33, 64])('refuses a share of %i bytes', async (length) => {
    const agreement = createKeyAgreement(createSeededRandom(2))
    expect(await agreement.encapsulate(new Uint8Array(length), info)).toMatchObject({ code: 'iatp.handshake-failed' })
    const share = await agreement.createShare()
    expect(await share.accept(new Uint8Array(length), info)).toMatchObject({ code: 'iatp.handshake-failed' })
  })
})

describe('createX25519Kem', () => {
  it('derives the key pair that RFC 9180 publishes, and lets no private key out', async () => {
    const kem = createX25519Kem(createSeededRandom(1), createHmacKdf())
    const pair = await kem.DeriveKeyPair(bytes(published.recipientSeed), false)
    expect(hexOf(await kem.SerializePublicKey(pair.publicKey))).toBe(published.recipientPublic)
    await expect(kem.SerializePrivateKey(pair.privateKey)).rejects.toThrow('never leaves')
  })
})
