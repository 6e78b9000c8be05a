import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeBase64url } from './base64url.ts'
import { formatId } from './format-id.ts'

describe('formatId', () => {
  it('writes bytes as they are, but never an id that begins as an option does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const [id, plain] = [formatId(bytes), encodeBase64url(bytes)]
        expect(id.slice(1)).toBe(plain.slice(1))
        expect(id[0]).toBe(plain.startsWith('-') ? 'e' : plain[0])
      }),
      { examples: [[Uint8Array.of(0xf8, ...Array.from({ length: 15 }, () => 7))], [new Uint8Array(16).fill(0xfb)]] },
    )
  })
})
