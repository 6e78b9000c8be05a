import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeAnswerBody, encodeAnswerBody } from './answer-body.ts'
import type { BareOutcome } from '../contract/outcome.ts'

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

describe('encodeAnswerBody', () => {
  it('is read back by decodeAnswerBody, whatever the outcome', () => {
    const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown)
    const outcome: fc.Arbitrary<BareOutcome> = fc.oneof(
      json.map((output) => ({ kind: 'ok' as const, output })),
      fc.record({ name: fc.string(), details: json }).map((error) => ({ kind: 'declined' as const, error })),
      fc
        .boolean()
        .map((retryable) => ({ kind: 'failed' as const, code: 'contract.handler-failed' as const, retryable })),
      fc.constant({ kind: 'unknown' as const, code: 'deadline.exceeded' as const }),
    )
    fc.assert(
      fc.property(outcome, fc.option(fc.nat(), { nil: undefined }), (told, record) => {
        const body = record === undefined ? { outcome: told } : { outcome: told, record }
        expect(decodeAnswerBody(encodeAnswerBody(body))).toEqual(body)
      }),
    )
  })

  it('tells of a refusal only code and waiting time', () => {
    const bytes = encodeAnswerBody({
      outcome: { kind: 'refused', code: 'policy.denied', reason: 'rule 7 of the tariff', retryAfterMs: 5 },
    })
    expect(new TextDecoder().decode(bytes)).not.toContain('tariff')
    expect(decodeAnswerBody(bytes)?.outcome).toMatchObject({ kind: 'refused', code: 'policy.denied', retryAfterMs: 5 })
  })
})

describe('decodeAnswerBody', () => {
  it('answers undefined for what is no answer', () => {
    const wrong: readonly unknown[] = [
      null,
      5,
      [],
      {},
      { outcome: null },
      { outcome: { kind: 'won' } },
      { outcome: { kind: 'declined' } },
      { outcome: { kind: 'refused', code: 'no.such-code' } },
      { outcome: { kind: 'refused', code: 'constructor' } },
      { outcome: { kind: 'failed' } },
      { outcome: { kind: 'unknown', code: 7 } },
    ]
    expect(wrong.map((value) => decodeAnswerBody(encode(value)))).toEqual(wrong.map(() => undefined))
    expect(decodeAnswerBody(Uint8Array.of(0xff, 0xfe))).toBeUndefined()
  })

  it('throws for no bytes at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(() => decodeAnswerBody(bytes)).not.toThrow()
      }),
    )
  })

  it('throws for no JSON at all', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (outcome, error) => {
        for (const told of [outcome, { kind: 'declined', error }])
          expect(() => decodeAnswerBody(encode({ outcome: told }))).not.toThrow()
      }),
    )
  })
})
