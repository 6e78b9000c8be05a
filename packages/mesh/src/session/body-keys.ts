import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { SecretExporter } from '@parley/identity'

/**
 * What one side of a session encrypts and decrypts bodies with: AES-256-GCM (NIST SP 800-38D) with a key and a nonce base
 * for each direction.
 *
 * I1 The nonce is the base XOR the counter of the envelope, which its direction never uses twice.
 * I2 The header is authenticated with the body: a body of another envelope does not open.
 * I3 No envelope needs another: what is lost or late costs nothing but itself.
 */
export interface BodyKeys {
  /**
   * The 44 secret bytes of the own direction, then those of the other, a character each. A node keeps one of these for every
   * idle peer, and a text costs a quarter of the typed arrays.
   */
  readonly secret: string
}

const algorithm = 'aes-256-gcm'
const keyBytes = 32
const nonceBytes = 12
const secretBytes = keyBytes + nonceBytes
/** The authentication tag, which follows the ciphertext. */
const tagBytes = 16

/** Bytes that a sealed body has more than its plain one. */
export const sealOverheadBytes: number = tagBytes

/** Who of a session sends: the one that said hello, or the one that welcomed. */
export type SessionSide = 'opener' | 'welcomer'

const purpose = new TextEncoder().encode('iatp/1/body')
const directions: Readonly<Record<SessionSide, number>> = { opener: 1, welcomer: 2 }

/**
 * Derives the keys of one side of a session. Each direction's key and nonce base are exported for its own context, which
 * names the session.
 */
export async function deriveBodyKeys(
  exportSecret: SecretExporter,
  side: SessionSide,
  sessionId: string,
): Promise<BodyKeys> {
  const secretOf = (sender: SessionSide): Promise<Uint8Array> => {
    const context = Buffer.concat([purpose, Buffer.of(directions[sender]), Buffer.from(sessionId, 'base64url')])
    return exportSecret(new Uint8Array(context), secretBytes)
  }
  const other: SessionSide = side === 'opener' ? 'welcomer' : 'opener'
  return createBodyKeys(await secretOf(side), await secretOf(other))
}

/** Keeps the 44 secret bytes of the own direction and those of the other: the key, then the nonce base. */
export function createBodyKeys(own: Uint8Array, others: Uint8Array): BodyKeys {
  return { secret: Buffer.concat([own, others]).toString('latin1') }
}

/** Encrypts a body for the envelope of this counter and header; the result is `sealOverheadBytes` longer. */
export function sealBody(keys: BodyKeys, counter: number, header: Uint8Array, body: Uint8Array): Uint8Array {
  const { key, nonceBase } = readSecret(keys, 0)
  const cipher = createCipheriv(algorithm, key, nonceOf(nonceBase, counter)).setAAD(header)
  const sealed = new Uint8Array(body.length + tagBytes)
  sealed.set(cipher.update(body))
  cipher.final()
  sealed.set(cipher.getAuthTag(), body.length)
  return sealed
}

/** Decrypts what the other side sealed under this counter and header; undefined for anything else. */
export function openBody(
  keys: BodyKeys,
  counter: number,
  header: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < tagBytes) return undefined
  const end = sealed.length - tagBytes
  const { key, nonceBase } = readSecret(keys, secretBytes)
  const options = { authTagLength: tagBytes }
  const decipher = createDecipheriv(algorithm, key, nonceOf(nonceBase, counter), options).setAAD(header)
  decipher.setAuthTag(sealed.subarray(end))
  const body = decipher.update(sealed.subarray(0, end))
  try {
    decipher.final()
  } catch {
    return undefined
  }
  return new Uint8Array(body.buffer, body.byteOffset, body.length)
}

function readSecret({ secret }: BodyKeys, from: number): { readonly key: Buffer; readonly nonceBase: Buffer } {
  const bytes = Buffer.from(secret.slice(from, from + secretBytes), 'latin1')
  return { key: bytes.subarray(0, keyBytes), nonceBase: bytes.subarray(keyBytes) }
}

/** Computes base XOR counter, the counter as an unsigned big-endian integer of 96 bits. The base is overwritten. */
function nonceOf(base: Buffer, counter: number): Buffer {
  base.writeUInt32BE((base.readUInt32BE(8) ^ (counter % 0x1_0000_0000)) >>> 0, 8)
  base.writeUInt32BE((base.readUInt32BE(4) ^ Math.floor(counter / 0x1_0000_0000)) >>> 0, 4)
  return base
}
