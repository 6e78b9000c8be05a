import { LabeledExpand, LabeledExtract, type KDF, type KEM } from 'hpke'
import type { Random } from '@parley/ports'
import { agreeX25519, readPrivateX25519, readPublicX25519, x25519Bytes, type X25519Key } from './x25519-key.ts'

const kemId = 0x0020
const text = new TextEncoder()
/** `KEM` and the identifier of this one (RFC 9180 §4.1). */
const suiteId = Uint8Array.of(...text.encode('KEM'), kemId >> 8, kemId & 0xff)
const nothing = new Uint8Array()

/**
 * Creates DHKEM(X25519, HKDF-SHA256) (RFC 9180 §4.1) over `node:crypto`, whose ephemeral keys come from the given port, so
 * that a seeded run encapsulates to the same bytes again.
 */
export function createX25519Kem(random: Random, kdf: KDF): KEM<X25519Key> {
  const share = async (secret: Uint8Array, enc: Uint8Array, recipient: Uint8Array): Promise<Uint8Array> => {
    const context = new Uint8Array(Buffer.concat([enc, recipient]))
    const key = await LabeledExtract(kdf, suiteId, nothing, text.encode('eae_prk'), secret)
    return LabeledExpand(kdf, suiteId, key, text.encode('shared_secret'), context, x25519Bytes)
  }
  const pairOf = (seed: Uint8Array): { readonly publicKey: X25519Key; readonly privateKey: X25519Key } => {
    const privateKey = readPrivateX25519(seed)
    return { privateKey, publicKey: readPublicX25519(privateKey.publicBytes) }
  }
  return {
    id: kemId,
    type: 'KEM',
    name: 'DHKEM(X25519, HKDF-SHA256)',
    Nsecret: x25519Bytes,
    Nenc: x25519Bytes,
    Npk: x25519Bytes,
    Nsk: x25519Bytes,
    async DeriveKeyPair(ikm) {
      const key = await LabeledExtract(kdf, suiteId, nothing, text.encode('dkp_prk'), ikm)
      return pairOf(await LabeledExpand(kdf, suiteId, key, text.encode('sk'), nothing, x25519Bytes))
    },
    GenerateKeyPair: async () => pairOf(random.bytes(x25519Bytes)),
    SerializePublicKey: async ({ publicBytes }) => publicBytes,
    DeserializePublicKey: async (bytes) => readPublicX25519(bytes),
    SerializePrivateKey: () => Promise.reject(new TypeError('a private key of a session never leaves it')),
    DeserializePrivateKey: async (bytes) => readPrivateX25519(bytes),
    async Encap(recipient) {
      const ephemeral = readPrivateX25519(random.bytes(x25519Bytes))
      const enc = ephemeral.publicBytes
      return { enc, shared_secret: await share(agreeX25519(ephemeral, recipient), enc, recipient.publicBytes) }
    },
    async Decap(enc, own) {
      return share(agreeX25519(own, readPublicX25519(enc)), enc, own.publicBytes)
    },
  }
}
