/** Length of an encoded point in bytes, and so of an Ed25519 public key (RFC 8032 §5.1.2). */
export const pointBytes: number = 32

/**
 * The points whose order divides 8, by the first byte of their y coordinate (little-endian, hex; the sign of x is not part
 * of it): order 4, order 1, order 2, and two of order 8. A key among them "verifies" messages that nobody signed.
 */
const smallOrderCoordinates: ReadonlyMap<number, string> = new Map([
  [0x00, '0000000000000000000000000000000000000000000000000000000000000000'],
  [0x01, '0100000000000000000000000000000000000000000000000000000000000000'],
  [0xec, 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
  [0xc7, 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
  [0x26, '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
])

/**
 * Tells whether a public key may enter: 32 bytes, its y coordinate below the field prime (so that no point has two
 * spellings), and not of small order. Every way by which a key enters asks this, because verifiers disagree on such keys
 * and some accept them for any message. A key that is no point of the curve passes and then verifies nothing.
 */
export function isSafePublicKey(publicKey: Uint8Array): boolean {
  return publicKey.length === pointBytes && isSafePoint(publicKey, 0)
}

/** Asks the same of the 32 bytes at `offset`, for instance of the commitment R with which a signature starts. */
export function isSafePoint(bytes: Uint8Array, offset: number): boolean {
  const low = bytes[offset] ?? 0
  const high = (bytes[offset + 31] ?? 0) & 0x7f
  if (high === 0x7f && low >= 0xed && isFilled(bytes, offset)) return false
  const smallOrder = smallOrderCoordinates.get(low)
  if (smallOrder === undefined) return true
  for (let index = 1; index < 31; index++) {
    if ((bytes[offset + index] ?? 0) !== Number.parseInt(smallOrder.slice(index * 2, index * 2 + 2), 16)) return true
  }
  return high !== Number.parseInt(smallOrder.slice(62), 16)
}

function isFilled(bytes: Uint8Array, offset: number): boolean {
  for (let index = 1; index < 31; index++) if (bytes[offset + index] !== 0xff) return false
  return true
}
