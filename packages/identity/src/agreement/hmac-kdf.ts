import { createHmac } from 'node:crypto'
import type { KDF } from 'hpke'

const hashBytes = 32

/**
 * Creates HKDF-SHA256 (RFC 5869, RFC 9180 §7.2) for HPKE over `node:crypto`. It answers in the turn in which it is asked,
 * which WebCrypto does not: a seeded run stays the same run.
 */
export function createHmacKdf(): KDF {
  return {
    id: 0x0001,
    type: 'KDF',
    name: 'HKDF-SHA256',
    Nh: hashBytes,
    stages: 2,
    Extract: async (salt, ikm) => hmac(salt.length === 0 ? new Uint8Array(hashBytes) : salt, ikm),
    Expand: async (prk, info, length) => {
      const blocks: Uint8Array[] = []
      for (let at = 1; (at - 1) * hashBytes < length; at++)
        blocks.push(hmac(prk, blocks.at(-1) ?? new Uint8Array(), info, Uint8Array.of(at)))
      return new Uint8Array(Buffer.concat(blocks).subarray(0, length))
    },
    Derive: () => Promise.reject(new TypeError('HKDF has two stages; it extracts and expands')),
  }
}

function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const mac = createHmac('sha256', key)
  for (const part of parts) mac.update(part)
  return new Uint8Array(mac.digest())
}
