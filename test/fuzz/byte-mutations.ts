import type { Random } from '@parley/ports'

/** Draws a whole number from 0 to `below` − 1. */
export function drawIndex(random: Random, below: number): number {
  return Math.floor(random.float() * below)
}

/** Draws one of a list, which must not be empty. */
export function drawOne<Value>(random: Random, values: readonly Value[]): Value {
  const value = values[drawIndex(random, values.length)]
  if (value === undefined) throw new RangeError('nothing to draw from')
  return value
}

type ByteMutation = (random: Random, bytes: Uint8Array, other: Uint8Array) => Uint8Array

const interestingBytes = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x22, 0x2c, 0x5c, 0x7b, 0x7d]

/** Ways to change bytes without knowing what they mean. */
const mutations: readonly ByteMutation[] = [
  (random, bytes) => {
    const at = drawIndex(random, bytes.length)
    return bytes.with(at, (bytes[at] ?? 0) ^ (1 << drawIndex(random, 8)))
  },
  (random, bytes) => bytes.with(drawIndex(random, bytes.length), drawOne(random, interestingBytes)),
  (random, bytes) => bytes.subarray(0, drawIndex(random, bytes.length)),
  (random, bytes) => {
    const [from, to] = [drawIndex(random, bytes.length), drawIndex(random, bytes.length)].toSorted((a, b) => a - b)
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
  },
  (random, bytes) => {
    const at = drawIndex(random, bytes.length)
    return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + drawIndex(random, 16)), bytes.subarray(at)])
  },
  (random, bytes) => {
    const at = drawIndex(random, bytes.length)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + 64), bytes.subarray(at)])
  },
  (random, bytes, other) =>
    Buffer.concat([
      bytes.subarray(0, drawIndex(random, bytes.length)),
      other.subarray(drawIndex(random, other.length)),
    ]),
  (random, bytes) => Buffer.concat([bytes, random.bytes(1 + drawIndex(random, 32))]),
]

/** Changes bytes in one to three places, by chance or with a piece of `other`. Never gives back what it was given. */
export function mutateBytes(random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  let changed = bytes
  for (let round = 1 + drawIndex(random, 3); round > 0; round--)
    if (changed.length > 0) changed = drawOne(random, mutations)(random, changed, other)
  const isSame = changed.length === bytes.length && changed.every((byte, at) => byte === bytes[at])
  return isSame ? Buffer.concat([bytes, Uint8Array.of(0)]) : changed
}
