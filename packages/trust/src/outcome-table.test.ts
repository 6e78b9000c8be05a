import { errorCodes } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { outcomeTable, rowOf } from './outcome-table.ts'

describe('rowOf', () => {
  it.each([
    ['callee', 'refused', undefined],
    ['callee', 'unknown', undefined],
    ['callee', 'unknown', 'deadline.exceeded'],
    ['caller', 'refused', 'identity.signature-invalid'],
    ['caller', 'refused', 'trust.below-threshold'],
    ['caller', 'refused', 'bulkhead.full'],
    ['caller', 'unknown', 'hop.cancelled'],
  ] as const)('finds nothing against a %s whose call ended %s with %s', (role, outcome, code) => {
    expect(rowOf({ role, outcome, ...(code && { code }) })).toBeUndefined()
  })

  it('blames a callee for what it signed itself to have broken', () => {
    for (const code of ['contract.output-invalid', 'contract.handler-failed']) {
      expect(rowOf({ role: 'callee', outcome: 'unknown', code })).toMatchObject({ fault: true })
    }
  })

  it('lowers the policy compliance of a caller outside its grant', () => {
    for (const code of ['delegation.not-granted', 'policy.denied']) {
      expect(rowOf({ role: 'caller', outcome: 'refused', code })?.values).toEqual({ policyCompliance: 0 })
    }
  })
})

describe('outcomeTable', () => {
  it('names codes that exist and values from 0 to 1, and faults only of callees', () => {
    for (const row of outcomeTable) {
      for (const code of row.codes ?? []) expect(errorCodes).toHaveProperty([code])
      for (const value of Object.values(row.values)) expect(value === 0 || value === 1).toBe(true)
      expect(row.fault && row.role === 'caller').toBe(false)
    }
  })
})
