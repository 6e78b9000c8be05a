import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatPrefixPattern, formatStoreSubject, parseStoreSubject } from './store-subject.ts'

const names = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((name) => !name.includes('\0') && name.isWellFormed())

describe('formatStoreSubject', () => {
  it('gives every name a subject of its own, made of plain characters, and gives the name back', () => {
    fc.assert(
      fc.property(names, (name) => {
        const subject = formatStoreSubject('root.a', name)
        expect(subject).toMatch(/^root\.a(\.[A-Za-z0-9_=-]+)+$/)
        expect(parseStoreSubject('root.a', subject)).toBe(name)
      }),
    )
  })
  it('keeps what people look for readable', () => {
    expect(formatStoreSubject('j', 'saga/acme/shop/trip-1')).toBe('j.saga.acme.shop.trip-1')
    expect(formatStoreSubject('j', 'p//a.b')).toBe('j.p.=.a=2Eb')
  })
  it.each(['', 'a\0b', '\ud800', 'x'.repeat(1_100)])('refuses %j', (name) => {
    expect(() => formatStoreSubject('j', name)).toThrow(expect.objectContaining({ code: 'store.name-invalid' }))
  })
})

describe('parseStoreSubject', () => {
  it.each(['other.a', 'j', 'j.a b', 'j.=G0', 'j.=FF', 'j..a'])('knows no name behind %j', (subject) => {
    expect(parseStoreSubject('j', subject)).toBe(undefined)
  })
})

describe('formatPrefixPattern', () => {
  it('covers every name of the prefix', () => {
    fc.assert(
      fc.property(names, fc.nat(40), (name, length) => {
        const pattern = formatPrefixPattern('j', name.slice(0, length))
        expect(formatStoreSubject('j', name).startsWith(pattern.slice(0, -1))).toBe(true)
      }),
    )
  })
})
