import { describe, expect, it } from 'vitest'
import { decodeCard } from './agent-card.ts'

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const look = {
  capability: 'shop:look',
  input: {},
  output: {},
  errors: {},
  risk: 'read',
  undo: false,
  confidential: false,
}
const changed = { event: 'shop:changed', payload: {}, risk: 'read' }
const hash = 'h'.repeat(43)

describe('decodeCard', () => {
  it('computes the hashes, whatever the card says that they are', () => {
    const card = decodeCard(
      encode({ capabilities: [{ ...look, hash: 'another' }], events: [changed], policy: { hash } }),
    )
    expect(card?.capabilities[0]?.hash).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(card?.events[0]?.hash).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(card?.policy).toEqual({ hash })
  })

  it.each([
    [null],
    [{}],
    [{ capabilities: {} }],
    [{ capabilities: [{ ...look, capability: 'look' }] }],
    [{ capabilities: [{ ...look, risk: 'none' }] }],
    [{ capabilities: [{ ...look, undo: undefined }] }],
    [{ capabilities: [{ ...look, errors: { full: 7 } }] }],
    [{ capabilities: [{ ...look, stream: [] }] }],
    [{ capabilities: [look], events: [{ ...changed, event: 'changed' }] }],
    [{ capabilities: [look], policy: { hash: 'short' } }],
    [{ capabilities: [look], policy: { hash, release: 7 } }],
  ])('takes no part of %j', (value) => {
    expect(decodeCard(encode(value))).toBeUndefined()
  })

  it('reads at most 1,000 descriptions', () => {
    const many = Array.from({ length: 1_001 }, () => look)
    expect(decodeCard(encode({ capabilities: many.slice(1) }))?.capabilities).toHaveLength(1_000)
    expect(decodeCard(encode({ capabilities: many }))).toBeUndefined()
  })
})
