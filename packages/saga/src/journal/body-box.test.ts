import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { closeBox, openBox } from './body-box.ts'

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const body = fc.uint8Array({ maxLength: 300 })

describe('a box', () => {
  it('gives back what was enclosed, to its key and for its stream only', () => {
    fc.assert(
      fc.property(bytes(32), bytes(32), body, (key, other, enclosed) => {
        const box = closeBox(key, 'saga/acme/travel/t', enclosed)
        expect(Buffer.from(openBox(key, 'saga/acme/travel/t', box) ?? [])).toEqual(Buffer.from(enclosed))
        expect(openBox(key, 'saga/acme/travel/u', box)).toBeUndefined()
        fc.pre(Buffer.compare(key, other) !== 0)
        expect(openBox(other, 'saga/acme/travel/t', box)).toBeUndefined()
      }),
    )
  })

  it('is not opened once a bit of it changed, or its end was cut off', () => {
    fc.assert(
      fc.property(bytes(32), body, fc.nat(), fc.nat(7), (key, enclosed, at, bit) => {
        const box = closeBox(key, 's', enclosed)
        const changed = Uint8Array.from(box)
        const place = at % changed.length
        changed[place] = (changed[place] ?? 0) ^ (1 << bit)
        expect(openBox(key, 's', changed)).toBeUndefined()
        expect(openBox(key, 's', box.subarray(0, place))).toBeUndefined()
      }),
    )
  })

  it('is the same for the same body, and has another nonce for any other', () => {
    fc.assert(
      fc.property(bytes(32), body, body, (key, left, right) => {
        const nonce = (enclosed: Uint8Array): string =>
          Buffer.from(closeBox(key, 's', enclosed).subarray(0, 12)).toString('hex')
        expect(nonce(left) === nonce(right)).toBe(Buffer.compare(left, right) === 0)
      }),
    )
  })
})
