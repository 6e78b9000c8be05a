import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseHeader } from './parse-header.ts'
import { isSurelyReadable } from './surely-readable.ts'

const request = {
  type: 'request',
  id: 'i'.repeat(22),
  from: `did:key:z6Mk${'a'.repeat(44)}`,
  to: 'prices',
  mesh: 'acme',
  issuedAtMs: 1_767_225_600_000,
  expiresAtMs: 1_767_225_660_000,
  session: 'h'.repeat(43),
  counter: 1,
  capability: 'flights:reserve',
  contract: 'h'.repeat(43),
  remainingMs: 5000,
  traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
}

function bytesOf(header: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(header))
}

describe('isSurelyReadable', () => {
  const saga = { id: 's', step: 't', attempt: 1, epoch: 1, key: 'k', phase: 'do', expiresAtMs: 1 }
  const isSure = (header: object): boolean => isSurelyReadable(header, bytesOf(header))

  it('is sure of nothing that parseHeader would refuse, whatever a caller puts in', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('', 'a\\b', '\ud800', '__proto__', 'x'.repeat(300)),
    )
    const outside = fc.record(
      {
        onBehalfOf: text,
        traceparent: fc.oneof(text, fc.constant(request.traceparent)),
        labels: fc.array(text, { maxLength: 4 }),
        crit: fc.array(text, { maxLength: 1 }),
        saga: fc.oneof(
          fc.jsonValue({ maxDepth: 9 }),
          fc.dictionary(text, fc.jsonValue({ maxDepth: 9 })).map((more) => ({ ...more, ...saga })),
        ),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(outside, (fields) => {
        const header = { ...request, ...fields }
        expect(isSure(header) && parseHeader(bytesOf(header)).kind !== 'allow').toBe(false)
      }),
    )
  })

  it('is sure of the command of a saga, and of no backslash', () => {
    expect([isSure({ ...request, saga }), isSure({ ...request, onBehalfOf: 'a\\b' })]).toEqual([true, false])
  })

  it('is not sure of what writes itself, or inherits what it says', () => {
    class Saga {
      step = 't'
      attempt = 1
      epoch = 1
      key = 'k'
      phase = 'do'
      expiresAtMs = 1
      get id(): string {
        return 's'
      }
    }
    const others = [new Saga(), Object.create(saga), { ...saga, toJSON: () => 5 }] as const
    expect(isSure({ ...request, saga })).toBe(true)
    expect(others.map((other) => isSure({ ...request, saga: other as unknown }))).toEqual([false, false, false])
  })
})
