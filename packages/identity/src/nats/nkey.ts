import { fmtCreds, fromSeed } from '@nats-io/jwt'
import { isSafePublicKey } from '../key/point.ts'
import { generateSeed, seedBytes } from '../key/seed.ts'
import type { Random } from '@parley/ports'

/** What a key of NATS is for. Its public form starts with this letter. */
export type NkeyKind = 'O' | 'A' | 'U'

/** A key of NATS with its secret. */
export interface Nkey {
  /** The public key, for instance `UABC…`. */
  readonly nkey: string
  /** The seed, for instance `SUABC…`. It is a secret. */
  readonly seed: string
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const seedPrefix = 18 << 3
const kindPrefixes: Readonly<Record<NkeyKind, number>> = { O: 14 << 3, A: 0, U: 20 << 3 }

/**
 * Makes the key of NATS that a 32-byte seed stands for, so that the randomness comes from our port and the seed can be kept
 * in a key file. The form is that of nats-io/nkeys: base32 of prefix, seed and CRC-16.
 */
export function createNkey(kind: NkeyKind, seed: Uint8Array): Nkey {
  if (seed.length !== seedBytes)
    throw new RangeError(`a seed has ${String(seedBytes)} bytes, not ${String(seed.length)}`)
  const prefix = kindPrefixes[kind]
  const payload = Buffer.concat([Buffer.of(seedPrefix | (prefix >> 5), (prefix & 31) << 3), seed])
  const checksum = Buffer.alloc(2)
  checksum.writeUInt16LE(crc16(payload))
  const text = encodeBase32(Buffer.concat([payload, checksum]))
  return { nkey: fromSeed(Buffer.from(text)).getPublicKey(), seed: text }
}

/** Draws a fresh user key, which an instance logs in to the broker with. */
export function generateUserNkey(random: Random): Nkey {
  return createNkey('U', generateSeed(random))
}

/** Formats a user token and the seed of its key as the credentials file that NATS tools read. It is a secret. */
export function formatNatsCredentials(token: string, seed: string): string {
  return Buffer.from(fmtCreds(token, fromSeed(Buffer.from(seed)))).toString('utf8')
}

/** Tells whether a value is the canonical public key of a NATS user, checksum included, and a key that may enter. */
export function isUserNkey(value: unknown): value is string {
  if (typeof value !== 'string' || !/^U[A-Z2-7]{55}$/.test(value)) return false
  const bytes = decodeBase32(value)
  const isWhole = bytes[0] === kindPrefixes.U && crc16(bytes.subarray(0, 33)) === bytes.readUInt16LE(33)
  return isWhole && isSafePublicKey(new Uint8Array(bytes.subarray(1, 33)))
}

/** Reads 56 characters, which are exactly 35 bytes. */
function decodeBase32(text: string): Buffer {
  const bits = Array.from(text, (character) => base32.indexOf(character).toString(2).padStart(5, '0')).join('')
  return Buffer.from(
    Array.from({ length: bits.length / 8 }, (_, at) => Number.parseInt(bits.slice(at * 8, at * 8 + 8), 2)),
  )
}

function encodeBase32(bytes: Uint8Array): string {
  let text = ''
  let value = 0
  let bits = 0
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff
    for (bits += 8; bits >= 5; bits -= 5) text += base32.charAt((value >>> (bits - 5)) & 31)
  }
  return bits > 0 ? text + base32.charAt((value << (5 - bits)) & 31) : text
}

/** CRC-16/XMODEM: polynomial 0x1021, start 0. */
function crc16(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = ((crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021) & 0xffff
  }
  return crc
}
