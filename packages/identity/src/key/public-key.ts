/** Length of an Ed25519 public key in bytes (RFC 8032 §5.1.5). */
export const publicKeyBytes: number = 32

/**
 * The y coordinates, little-endian, of the points whose order divides 8 (the x sign is not part of them): order 4, order
 * 1, order 2, and two of order 8. A key among them "verifies" messages that nobody signed.
 */
const smallOrderCoordinates: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '26e8958fc2b227b045c3f489f298effdd5dfac05d3c63339b13802886d53fc05',
])

/**
 * Tells whether a public key may enter: 32 bytes, its y coordinate below the field prime (so that no point has two
 * spellings), and not of small order. Every way by which a key enters asks this, because verifiers disagree on such keys
 * and `node:crypto` accepts them. A point that is not on the curve passes and then verifies nothing.
 */
export function isSafePublicKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== publicKeyBytes) return false
  const low = publicKey[0] ?? 0
  const high = (publicKey[31] ?? 0) & 0x7f
  if (high === 0x7f && low >= 0xed && isFilled(publicKey)) return false
  let coordinate = ''
  for (let index = 0; index < 31; index++) coordinate += hexByte(publicKey[index] ?? 0)
  return !smallOrderCoordinates.has(coordinate + hexByte(high))
}

function isFilled(publicKey: Uint8Array): boolean {
  for (let index = 1; index < 31; index++) if (publicKey[index] !== 0xff) return false
  return true
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, '0')
}
