import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'

// AES-256-GCM (NIST SP 800-38D). The nonce is made of what is enclosed, as in SIV: the same body gives the same box, so that it
// is stored once, and two different ones share a nonce with no better chance than two random nonces would.

const nonceBytes = 12
const tagBytes = 16

/** Encloses a body for one stream: nonce, ciphertext, tag. */
export function closeBox(key: Uint8Array, stream: string, body: Uint8Array): Uint8Array {
  const nonce = createHmac('sha256', createHmac('sha256', key).update('parley/saga/nonce').digest())
    .update(`${stream}\0`)
    .update(body)
    .digest()
    .subarray(0, nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(stream))
  return Buffer.concat([nonce, cipher.update(body), cipher.final(), cipher.getAuthTag()])
}

/** Opens a box; undefined where it was not closed with this key for this stream, or was changed. */
export function openBox(key: Uint8Array, stream: string, box: Uint8Array): Uint8Array | undefined {
  if (box.length < nonceBytes + tagBytes) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(stream)).setAuthTag(box.subarray(-tagBytes))
  const opened = decipher.update(box.subarray(nonceBytes, -tagBytes))
  try {
    decipher.final()
    return opened
  } catch (error) {
    if (error instanceof Error) return undefined
    throw error
  }
}
