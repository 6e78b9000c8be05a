import { createHash, hash } from 'node:crypto'
import type { Hash } from './hash.ts'

/** Up to here the parts are copied together and hashed at once, which costs a fraction of a hash object's life. */
const scratch: Buffer = Buffer.allocUnsafeSlow(16_384)
const digestBytes = 32

/** SHA-256 by `node:crypto`. */
export const systemHash: Hash = (...parts) => {
  let length = 0
  for (const part of parts) length += part.length
  if (length > scratch.length) return hashLarge(parts)
  let at = 0
  for (const part of parts) {
    scratch.set(part, at)
    at += part.length
  }
  // A text of one character a byte is the cheapest that crosses over; so small an array stays on the heap.
  const text = hash('sha256', viewOf(length), 'binary')
  const digest = new Uint8Array(digestBytes)
  for (let index = 0; index < digestBytes; index++) digest[index] = text.charCodeAt(index)
  return digest
}

/** Views of the first bytes of `scratch` by their number: the same lengths come again and again. */
const views: Uint8Array[] = []
const maxKeptView = 2_048

function viewOf(length: number): Uint8Array {
  if (length > maxKeptView) return scratch.subarray(0, length)
  return (views[length] ??= scratch.subarray(0, length))
}

function hashLarge(parts: readonly Uint8Array[]): Uint8Array {
  const large = createHash('sha256')
  for (const part of parts) large.update(part)
  return new Uint8Array(large.digest())
}
