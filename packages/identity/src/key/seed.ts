import type { Random } from '@parley/ports'

/** Length of an Ed25519 private key seed in bytes (RFC 8032 §5.1.5). */
export const seedBytes: number = 32

/** Draws a fresh private key seed. It is a secret: it belongs into a signer or a key file and nowhere else. */
export function generateSeed(random: Random): Uint8Array {
  return random.bytes(seedBytes)
}
