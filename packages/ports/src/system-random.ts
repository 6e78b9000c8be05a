import { randomBytes } from 'node:crypto'
import type { Random } from './random.ts'

/** Creates randomness from the operating system's generator. */
export function createSystemRandom(): Random {
  return {
    bytes: (length) => new Uint8Array(randomBytes(length)),
    float: () => randomBytes(4).readUInt32BE(0) / 0x1_0000_0000,
  }
}
