import { describe, expect, it } from 'vitest'
import { formatAuditRecord, parseAuditRecord } from './audit-record.ts'

const head = { seq: 7, prev: 'A'.repeat(43), atMs: 1_000 }
const own = `{"seq":7,"prev":"${'A'.repeat(43)}","atMs":1000,`

describe('formatAuditRecord', () => {
  it('writes what it reads, the own fields first, then kind, then the others in their order', () => {
    const text = formatAuditRecord(head, {
      kind: 'hop',
      peer: 'acme/"planes"\u001f',
      list: [1, null, 'é'],
      none: undefined,
    })
    expect(text).toBe(`${own}"kind":"hop","peer":"acme/\\"planes\\"\\u001f","list":[1,null,"é"]}`)
    expect(parseAuditRecord(text)).toMatchObject({ seq: 7, kind: 'hop', list: [1, null, 'é'] })
  })

  it('puts kind first and the tenant of the log last, wherever they were given', () => {
    expect(formatAuditRecord(head, { peer: 'a', kind: 'hop', tenant: 'mine' }, 'main')).toBe(
      `${own}"kind":"hop","peer":"a","tenant":"main"}`,
    )
    expect(formatAuditRecord(head, { kind: 'hop' }, 'main')).toBe(`${own}"kind":"hop","tenant":"main"}`)
    expect(formatAuditRecord(head, { kind: 'hop', tenant: 'mine' })).toBe(`${own}"kind":"hop","tenant":"mine"}`)
  })

  it('refuses names that are the log’s own or not camelCase, and values that JSON cannot hold, also the second time', () => {
    const refused = { code: 'audit.record-invalid' }
    for (let time = 0; time < 2; time++) {
      expect(() => formatAuditRecord(head, { kind: 'hop', seq: 1 })).toThrow(expect.objectContaining(refused))
      expect(() => formatAuditRecord(head, { kind: 'hop', 'a-b': 1 })).toThrow(expect.objectContaining(refused))
      expect(() => formatAuditRecord(head, { kind: 'hop', ratio: NaN })).toThrow(expect.objectContaining(refused))
      expect(() => formatAuditRecord(head, { kind: '' })).toThrow(expect.objectContaining(refused))
      expect(() => formatAuditRecord(head, { kind: 'hop', long: 'x'.repeat(16_384) })).toThrow(
        expect.objectContaining(refused),
      )
    }
  })
})
