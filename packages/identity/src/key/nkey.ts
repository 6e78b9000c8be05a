import { parseDidKey } from './did-key.ts'
import { createKeySigner } from './key-signer.ts'
import { isSafePublicKey, pointBytes } from './point.ts'
import { generateSeed } from './seed.ts'
import type { Random } from '@parley/ports'

/** The key with which one instance answers a NATS server's challenge. It has nothing to do with the instance's own key. */
export interface UserNkey {
  /** The public key as NATS writes it: `U` and 55 more characters. */
  readonly publicKey: string
  /** Writes the secret seed (`SU…`). It belongs to the NATS client and nowhere else. */
  seed(): string
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
/** What the first character of a public user key comes from, and of a seed. */
const userPrefix = 20 << 3
const seedPrefix = 18 << 3
const nkeyPattern = /^U[A-Z2-7]{55}$/

/**
 * Draws a fresh NATS user key. A broker chooses what this key signs, so it is never the instance's signing key nor derived
 * from it.
 */
export function createUserNkey(random: Random): UserNkey {
  const secret = generateSeed(random)
  const publicKey = parseDidKey(createKeySigner(secret).did)
  return {
    publicKey: encode(Uint8Array.of(userPrefix), publicKey),
    seed: () => encode(Uint8Array.of(seedPrefix | (userPrefix >> 5), (userPrefix & 31) << 3), secret),
  }
}

/**
 * Tells whether a value is a public NATS user key: right prefix and checksum, the only spelling of its key, and a key that
 * may enter.
 */
export function isUserNkey(value: unknown): value is string {
  if (typeof value !== 'string' || !nkeyPattern.test(value)) return false
  const publicKey = decodeBase32(value).slice(1, 1 + pointBytes)
  return isSafePublicKey(publicKey) && encode(Uint8Array.of(userPrefix), publicKey) === value
}

/** Writes prefix, key and checksum in base32 (RFC 4648 §6) without padding. */
function encode(prefix: Uint8Array, key: Uint8Array): string {
  const checked = Buffer.concat([prefix, key])
  const checksum = Buffer.alloc(2)
  checksum.writeUInt16LE(computeCrc16(checked))
  return encodeBase32(Buffer.concat([checked, checksum]))
}

function encodeBase32(bytes: Uint8Array): string {
  let text = ''
  let value = 0
  let bits = 0
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff
    bits += 8
    for (; bits >= 5; bits -= 5) text += alphabet.charAt((value >> (bits - 5)) & 31)
  }
  return bits > 0 ? text + alphabet.charAt((value << (5 - bits)) & 31) : text
}

/** Reads base32 whose characters were checked. */
function decodeBase32(text: string): Uint8Array {
  const bytes: number[] = []
  let value = 0
  let bits = 0
  for (const character of text) {
    value = ((value << 5) | alphabet.indexOf(character)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((value >> bits) & 0xff)
  }
  return Uint8Array.from(bytes)
}

/** CRC-16/XMODEM, as the NKEY format has it. */
function computeCrc16(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff
  }
  return crc
}
