import { createHash } from 'node:crypto'
import { parseDidKey } from '@parley/identity'

const order = 2n ** 252n + 27742317777372353535851937790883648493n

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}

function sha512(...parts: readonly Uint8Array[]): Buffer {
  return createHash('sha512').update(Buffer.concat(parts)).digest()
}

/**
 * Signs as only a dishonest signer does: with the neutral point as commitment R, so that S = k·a fulfils the equation of
 * RFC 8032 §5.1.7 and shows nothing of a nonce. Verifiers disagree on such a signature.
 */
export function signWithSmallCommitment(seed: Uint8Array, did: string, input: Uint8Array): Uint8Array {
  const clamped = Buffer.from(sha512(seed).subarray(0, 32))
  clamped.writeUInt8(clamped.readUInt8(0) & 0xf8, 0)
  clamped.writeUInt8((clamped.readUInt8(31) & 0x7f) | 0x40, 31)
  const commitment = Buffer.concat([Buffer.of(1), Buffer.alloc(31)])
  const challenge = littleEndian(sha512(commitment, parseDidKey(did), input)) % order
  const answer = (challenge * littleEndian(clamped)) % order
  return Buffer.concat([commitment, Buffer.from(answer.toString(16).padStart(64, '0'), 'hex').reverse()])
}
