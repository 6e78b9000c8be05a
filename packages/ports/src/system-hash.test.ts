import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { systemHash } from './system-hash.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('systemHash', () => {
  it('is SHA-256 over the concatenation (FIPS 180-4, "abc")', () => {
    const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    expect(Buffer.from(systemHash(bytesOf('abc'))).toString('hex')).toBe(expected)
    expect(systemHash(bytesOf('a'), bytesOf(''), bytesOf('bc'))).toEqual(systemHash(bytesOf('abc')))
  })

  it('hashes parts that are longer than what is copied together', () => {
    const [half, rest] = [new Uint8Array(16_384).fill(7), new Uint8Array(9).fill(7)]
    const whole = createHash('sha256').update(new Uint8Array(16_393).fill(7)).digest('hex')
    expect(Buffer.from(systemHash(half, rest)).toString('hex')).toBe(whole)
    expect(systemHash(half)).toEqual(new Uint8Array(createHash('sha256').update(half).digest()))
    expect(systemHash(new Uint8Array())).toEqual(new Uint8Array(createHash('sha256').digest()))
  })

  it('gives plain bytes that nobody else holds', () => {
    const hash = systemHash(bytesOf('abc'))
    expect(hash.constructor).toBe(Uint8Array)
    expect(hash.buffer.byteLength).toBe(32)
  })
})
