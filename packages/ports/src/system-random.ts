import { randomFillSync } from 'node:crypto'
import type { Random } from './random.ts'

/** Bytes that are drawn from the operating system at once: a call for 16 costs as much as one for thousands. */
const poolBytes = 8_192

/**
 * Creates randomness from the operating system's generator, drawn ahead in a pool. Each byte is handed out once and
 * wiped from the pool as it is.
 */
export function createSystemRandom(): Random {
  const pool = new Uint8Array(poolBytes)
  let used = poolBytes
  const bytes = (length: number): Uint8Array => {
    if (length > poolBytes / 2) return randomFillSync(new Uint8Array(length))
    if (used + length > poolBytes) {
      randomFillSync(pool)
      used = 0
    }
    const taken = pool.slice(used, used + length)
    pool.fill(0, used, used + length)
    used += length
    return taken
  }
  return {
    bytes,
    float() {
      const [a = 0, b = 0, c = 0, d = 0] = bytes(4)
      return (a * 0x1_00_00_00 + b * 0x1_00_00 + c * 0x1_00 + d) / 0x1_00_00_00_00
    },
  }
}
