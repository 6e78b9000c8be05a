import { describe, expect, it } from 'vitest'
import { formatTable } from './format-table.ts'

describe('formatTable', () => {
  it('aligns texts left, numbers right, and shows what is missing', () => {
    const rows = [
      { who: 'ours', calls: 12_345 },
      { who: 'nats request', calls: 9, ratio: 0.5 },
    ]
    expect(formatTable(rows)).toBe(
      ['who            calls  ratio', 'ours          12,345      -', 'nats request       9    0.5'].join('\n'),
    )
  })
})
