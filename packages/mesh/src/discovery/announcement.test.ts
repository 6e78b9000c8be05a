import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeAnnouncement, encodeAnnouncement } from './announcement.ts'

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

describe('decodeAnnouncement', () => {
  it('reads what encodeAnnouncement wrote', () => {
    const announcement = { boot: 'b1', serves: { 'flights:reserve': 'hash' }, leaving: false }
    expect(decodeAnnouncement(encodeAnnouncement(announcement))).toEqual(announcement)
  })

  it('answers undefined for everything else', () => {
    const sound = { boot: 'b1', serves: {}, leaving: false }
    const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, at) => [`s:o${String(at)}`, 'h']))
    const wrong: readonly unknown[] = [
      null,
      [],
      {},
      { ...sound, boot: 5 },
      { ...sound, boot: 'x'.repeat(65) },
      { ...sound, leaving: 'no' },
      { ...sound, serves: [] },
      { ...sound, serves: { 'no capability': 'h' } },
      { ...sound, serves: { 'a:b': 5 } },
      { ...sound, serves: many },
    ]
    expect(wrong.map((value) => decodeAnnouncement(encode(value)))).toEqual(wrong.map(() => undefined))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        expect(decodeAnnouncement(bytes)).toBeUndefined()
      }),
    )
  })
})
