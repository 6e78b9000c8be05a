import { createCipheriv, hkdfSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBodyKeys, deriveBodyKeys, openBody, sealBody, sealOverheadBytes, type BodyKeys } from './body-keys.ts'

const exportSecret = async (context: Uint8Array, length: number): Promise<Uint8Array> =>
  new Uint8Array(hkdfSync('sha256', 'a secret of two', '', context, length))

async function openPair(id = 'A'.repeat(43)): Promise<{ readonly opener: BodyKeys; readonly welcomer: BodyKeys }> {
  return {
    opener: await deriveBodyKeys(exportSecret, 'opener', id),
    welcomer: await deriveBodyKeys(exportSecret, 'welcomer', id),
  }
}

const header = Buffer.from('{"type":"request"}')
const counters = fc.oneof(
  fc.integer({ min: 1, max: 5_000 }),
  fc.constantFrom(2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1),
)

describe('sealBody', () => {
  it('opens in any order what was sealed, and misses nothing that was lost', async () => {
    const { opener, welcomer } = await openPair()
    const bodies = fc.array(fc.tuple(counters, fc.uint8Array({ maxLength: 300 })), { maxLength: 12 })
    fc.assert(
      fc.property(bodies, fc.array(fc.nat()), (sent, order) => {
        const sealed = sent.map(([counter, body]) => ({
          counter,
          body,
          bytes: sealBody(opener, counter, header, body),
        }))
        const arriving = sealed.filter((_, at) => order[at] !== 0).toReversed()
        for (const { counter, body, bytes } of arriving) {
          expect(bytes).toHaveLength(body.length + sealOverheadBytes)
          expect(openBody(welcomer, counter, header, bytes)).toEqual(body)
        }
      }),
    )
  })

  it('opens nothing under another counter, header, direction or session, and nothing that was changed', async () => {
    const { opener, welcomer } = await openPair()
    const other = await openPair('B'.repeat(43))
    const sealed = sealBody(opener, 7, header, Buffer.from('body'))
    expect(openBody(welcomer, 8, header, sealed)).toBeUndefined()
    expect(openBody(welcomer, 7 + 2 ** 32, header, sealed)).toBeUndefined()
    expect(openBody(welcomer, 7, Buffer.from('{"type":"reply"}'), sealed)).toBeUndefined()
    expect(openBody(opener, 7, header, sealed)).toBeUndefined()
    expect(openBody(other.welcomer, 7, header, sealed)).toBeUndefined()
    for (let at = 0; at < sealed.length; at++) {
      expect(openBody(welcomer, 7, header, sealed.with(at, (sealed[at] ?? 0) ^ 1))).toBeUndefined()
      expect(openBody(welcomer, 7, header, sealed.subarray(0, at))).toBeUndefined()
    }
    expect(openBody(welcomer, 7, header, sealed)).toEqual(new Uint8Array(Buffer.from('body')))
  })

  it('is AES-256-GCM with the counter XORed into the last bytes of the nonce, and the header beside it', () => {
    const secret = Uint8Array.from({ length: 44 }, (_, at) => at)
    const counter = 0x1_0203_0405
    const nonce = Buffer.from(secret.subarray(32))
    for (const [at, byte] of [0, 0, 0, 1, 2, 3, 4, 5].entries()) nonce[4 + at] = (nonce[4 + at] ?? 0) ^ byte
    const cipher = createCipheriv('aes-256-gcm', secret.subarray(0, 32), nonce).setAAD(header)
    const written = Buffer.concat([cipher.update('body'), cipher.final(), cipher.getAuthTag()])
    const sealed = sealBody(createBodyKeys(secret, secret), counter, header, Buffer.from('body'))
    expect(Buffer.from(sealed).equals(written)).toBe(true)
  })

  it('never uses a nonce twice in a direction', () => {
    const secret = new Uint8Array(44).fill(5)
    const keys = createBodyKeys(secret, secret)
    fc.assert(
      fc.property(counters, counters, (one, two) => {
        const [left, right] = [one, two].map((counter) =>
          Buffer.from(sealBody(keys, counter, header, new Uint8Array(16))),
        )
        expect(left?.equals(right ?? Buffer.alloc(0))).toBe(one === two)
      }),
    )
  })
})
