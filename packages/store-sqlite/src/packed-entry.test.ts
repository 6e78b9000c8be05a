import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { packEntry, unpackEntry } from './packed-entry.ts'

describe('packEntry', () => {
  it('gives back what was packed, of any size and content', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 6_000 }),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.integer({ min: 1, max: 400 }))
        .map(([part, times]) => {
          const all = new Uint8Array(part.length * times)
          for (let at = 0; at < times; at++) all.set(part, at * part.length)
          return all
        }),
    )
    fc.assert(
      fc.property(bytes, (entry) => {
        const packed = packEntry(entry)
        expect(packed.data.length).toBeLessThanOrEqual(entry.length)
        expect(unpackEntry(packed)).toEqual(entry)
      }),
    )
  })

  it('shares no memory with what it packed', () => {
    for (const length of [8, 8_000]) {
      const entry = new Uint8Array(length).fill(7)
      const packed = packEntry(entry)
      entry.fill(0)
      expect(unpackEntry(packed)).toEqual(new Uint8Array(length).fill(7))
    }
  })

  it('makes repeated text much smaller', () => {
    const text = Buffer.from('{"peer":"acme/flights","capability":"flights:reserve"}\n'.repeat(200))
    expect(packEntry(text).data.length).toBeLessThan(text.length / 10)
  })
})

describe('unpackEntry', () => {
  it('refuses a frame that was changed, cut off, or is of another length than it says', () => {
    const { data, size } = packEntry(new Uint8Array(8_000).fill(7))
    const corrupt = expect.objectContaining({ code: 'store.corrupt' })
    expect(() => unpackEntry({ data: data.subarray(0, -1), size })).toThrow(corrupt)
    expect(() => unpackEntry({ data: Uint8Array.of(1, 2, 3), size })).toThrow(corrupt)
    expect(() => unpackEntry({ data, size: size - 1 })).toThrow(corrupt)
    expect(() => unpackEntry({ data, size: size + 1 })).toThrow(corrupt)
  })
})
