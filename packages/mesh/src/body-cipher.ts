import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { SecretExporter } from '@parley/identity'

/**
 * Encrypts the bodies of one session: AES-256-GCM (NIST SP 800-38D) with a key and a nonce base for each direction.
 *
 * I1 The nonce is the base XOR the counter of the envelope, which its direction never uses twice.
 * I2 The header is authenticated with the body: a body of another envelope does not open.
 * I3 No envelope needs another: what is lost or late costs nothing but itself.
 */
export interface BodyCipher {
  /** Encrypts a body for the envelope of this counter and header; `sealOverheadBytes` longer. */
  seal(counter: number, header: Uint8Array, body: Uint8Array): Uint8Array
  /** Decrypts what the other side sealed; undefined for anything else. */
  open(counter: number, header: Uint8Array, sealed: Uint8Array): Uint8Array | undefined
}

const algorithm = 'aes-256-gcm'
const keyBytes = 32
const nonceBytes = 12
/** The authentication tag, which follows the ciphertext. */
const tagBytes = 16

/** Bytes that a sealed body has more than its plain one. */
export const sealOverheadBytes: number = tagBytes

/** Who of a session sends: the one that said hello, or the one that welcomed. */
export type SessionSide = 'opener' | 'welcomer'

const purpose = new TextEncoder().encode('iatp/1/body')
const directions: Readonly<Record<SessionSide, number>> = { opener: 1, welcomer: 2 }

/**
 * Derives the cipher of one side of a session. Each direction's key and nonce base are exported for its own context, which
 * names the session.
 */
export async function deriveBodyCipher(
  exportSecret: SecretExporter,
  side: SessionSide,
  sessionId: string,
): Promise<BodyCipher> {
  const secretOf = (sender: SessionSide): Promise<Uint8Array> => {
    const context = Buffer.concat([purpose, Buffer.of(directions[sender]), Buffer.from(sessionId, 'base64url')])
    return exportSecret(new Uint8Array(context), keyBytes + nonceBytes)
  }
  const other: SessionSide = side === 'opener' ? 'welcomer' : 'opener'
  return createBodyCipher(await secretOf(side), await secretOf(other))
}

/** Creates a cipher over the 44 secret bytes of the own direction and those of the other: the key, then the nonce base. */
export function createBodyCipher(ownSecret: Uint8Array, othersSecret: Uint8Array): BodyCipher {
  // A copy as short as this lives in the object itself, which a view would move out: an idle session must cost little.
  const [own, others] = [Uint8Array.from(ownSecret), Uint8Array.from(othersSecret)]
  return {
    seal(counter, header, body) {
      const cipher = createCipheriv(algorithm, own.slice(0, keyBytes), nonceOf(own, counter))
      cipher.setAAD(header)
      const sealed = new Uint8Array(body.length + tagBytes)
      sealed.set(cipher.update(body))
      cipher.final()
      sealed.set(cipher.getAuthTag(), body.length)
      return sealed
    },
    open(counter, header, sealed) {
      if (sealed.length < tagBytes) return undefined
      const end = sealed.length - tagBytes
      const decipher = createDecipheriv(algorithm, others.slice(0, keyBytes), nonceOf(others, counter), {
        authTagLength: tagBytes,
      })
      decipher.setAAD(header)
      decipher.setAuthTag(sealed.subarray(end))
      const body = decipher.update(sealed.subarray(0, end))
      try {
        decipher.final()
      } catch {
        return undefined
      }
      return new Uint8Array(body.buffer, body.byteOffset, body.length)
    },
  }
}

/** Computes base XOR counter, the counter as an unsigned big-endian integer of 96 bits. */
function nonceOf(secret: Uint8Array, counter: number): Uint8Array {
  const nonce = secret.slice(keyBytes, keyBytes + nonceBytes)
  const view = new DataView(nonce.buffer)
  view.setUint32(8, (view.getUint32(8) ^ (counter % 0x1_0000_0000)) >>> 0)
  view.setUint32(4, (view.getUint32(4) ^ Math.floor(counter / 0x1_0000_0000)) >>> 0)
  return nonce
}
