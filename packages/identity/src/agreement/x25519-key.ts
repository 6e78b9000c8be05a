import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto'
import type { Key } from 'hpke'

/** Length of an X25519 key of either kind, and of what two of them agree on (RFC 7748 §5). */
export const x25519Bytes: number = 32

/** DER up to the key itself (RFC 8410): PKCS#8 for private keys, SubjectPublicKeyInfo for public ones. */
const pkcs8Prefix = Buffer.from('302e020100300506032b656e04220420', 'hex')
const spkiPrefix = Buffer.from('302a300506032b656e032100', 'hex')

/** An X25519 key (RFC 7748), of which a private one shows nothing. */
export interface X25519Key extends Key {
  readonly handle: KeyObject
  /** The public key's bytes, also of a private one. */
  readonly publicBytes: Uint8Array
}

const algorithm = { name: 'X25519' }

/** Reads a private key from 32 uniformly random bytes, which are not kept. */
export function readPrivateX25519(bytes: Uint8Array): X25519Key {
  const der = Buffer.concat([pkcs8Prefix, bytes])
  const handle = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  der.fill(0)
  const spki = createPublicKey(handle).export({ format: 'der', type: 'spki' })
  return { algorithm, extractable: false, type: 'private', handle, publicBytes: new Uint8Array(spki.subarray(-32)) }
}

/** Reads a public key of 32 bytes. Any bytes are one; those that agree on nothing fail in `agreeX25519`. */
export function readPublicX25519(bytes: Uint8Array): X25519Key {
  const handle = createPublicKey({ key: Buffer.concat([spkiPrefix, bytes]), format: 'der', type: 'spki' })
  return { algorithm, extractable: true, type: 'public', handle, publicBytes: Uint8Array.from(bytes) }
}

/** Agrees on 32 bytes. Throws for a public key of small order, whose secret everybody knows (RFC 7748 §6.1). */
export function agreeX25519(privateKey: X25519Key, publicKey: X25519Key): Uint8Array {
  const secret = diffieHellman({ privateKey: privateKey.handle, publicKey: publicKey.handle })
  if (secret.every((byte) => byte === 0)) throw new RangeError('the public key is of small order')
  return new Uint8Array(secret)
}
