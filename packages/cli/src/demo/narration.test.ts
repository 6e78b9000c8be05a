import { describe, expect, it } from 'vitest'
import { narrateRecord } from './narration.ts'

const head = { seq: 7, atMs: 0 }

describe('narrateRecord', () => {
  it('tells who was refused, where and with which code', () => {
    const record = { ...head, kind: 'hop', side: 'callee', outcome: 'refused', stage: 'delegation' }
    const facts = { code: 'delegation.not-granted', capability: 'flights:upgrade', peer: 'acme/concierge' }
    expect(narrateRecord({ ...record, ...facts })).toBe(
      'refuses flights:upgrade of acme/concierge at delegation: delegation.not-granted',
    )
  })

  it('says of a sender whose proof is not for here that it is unproven', () => {
    const record = { ...head, kind: 'hop', side: 'callee', outcome: 'refused', stage: 'addressed' }
    expect(narrateRecord({ ...record, code: 'iatp.misaddressed', capability: 'flights:reserve' })).toContain(
      'unproven sender',
    )
  })

  it('leaves what arrived to the callee to tell', () => {
    const record = { ...head, kind: 'hop', side: 'caller', outcome: 'ok', sent: true, capability: 'flights:reserve' }
    expect(narrateRecord(record)).toBeUndefined()
  })

  it('tells of a call that was not sent', () => {
    const record = { ...head, kind: 'hop', side: 'caller', outcome: 'refused', sent: false, code: 'breaker.open' }
    expect(narrateRecord({ ...record, capability: 'payments:balance', peer: 'acme/payments' })).toBe(
      'does not send payments:balance to acme/payments: breaker.open',
    )
  })

  it('shortens the owner away from a peer', () => {
    const record = { ...head, kind: 'trust', peer: 'did:key:zabc budget/hotels', from: 'standard', to: 'probationary' }
    expect(narrateRecord({ ...record, score: 473 })).toBe('trust in budget/hotels: standard → probationary, score 473')
  })
})
