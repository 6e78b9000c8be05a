import { describe, expect, it } from 'vitest'
import { createEvidenceIds } from './evidence-ids.ts'

const about = { peer: 'p', capability: 'a:b', role: 'callee', outcome: 'ok' } as const

describe('createEvidenceIds', () => {
  it('knows the last ones again, forgets old ones, and takes none of a million for another', () => {
    const ids = createEvidenceIds(1_000)
    let mistaken = 0
    for (let at = 0; at < 1_000_000; at++)
      if (!ids.add({ ...about, envelope: at.toString(36).padStart(43, '-') })) mistaken++
    expect(mistaken).toBe(0)
    for (let at = 999_000; at < 1_000_000; at++)
      expect(ids.add({ ...about, envelope: at.toString(36).padStart(43, '-') })).toBe(false)
    expect(ids.add({ ...about, envelope: '0'.padStart(43, '-') })).toBe(true)
  })

  it('keeps the sides of an envelope apart', () => {
    const ids = createEvidenceIds(10)
    for (const role of ['callee', 'caller'] as const) {
      expect(ids.add({ ...about, role, envelope: 'e' })).toBe(true)
      expect(ids.add({ ...about, role, envelope: 'e' })).toBe(false)
    }
    expect(ids.add({ peer: 'p', capability: 'a:b', envelope: 'e', dimension: 'outputQuality', value: 1 })).toBe(true)
  })
})
