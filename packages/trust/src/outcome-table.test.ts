import { errorCodes } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { outcomeTable } from './outcome-table.ts'

describe('outcomeTable', () => {
  it('names codes that exist and values from 0 to 1, and faults only of callees', () => {
    for (const row of outcomeTable) {
      for (const code of row.codes ?? []) expect(errorCodes).toHaveProperty([code])
      for (const value of Object.values(row.values)) expect(value === 0 || value === 1).toBe(true)
      expect(row.fault && row.role === 'caller').toBe(false)
    }
  })
})
