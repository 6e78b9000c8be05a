import { describe, expect, it } from 'vitest'
import { errorCodes } from './error-codes.ts'
import { isMeshError, MeshError } from './mesh-error.ts'
import { allowed, refuse } from './refusal.ts'

describe('MeshError', () => {
  it('carries what the list knows of its code', () => {
    const cause = new Error('disk')
    const error = new MeshError('store.write-failed', 'the journal is not written', { details: { bytes: 3 }, cause })
    const { retryable, todo } = errorCodes['store.write-failed']
    expect(error).toMatchObject({ code: 'store.write-failed', retryable, todo, details: { bytes: 3 }, cause })
  })

  it('has no cause when none is given', () => {
    expect('cause' in new MeshError('policy.denied', 'no')).toBe(false)
  })
})

describe('isMeshError', () => {
  it('knows an error of another copy of the package', () => {
    const foreign = Object.assign(new Error('no'), { [Symbol.for('parley.MeshError')]: true, code: 'policy.denied' })
    expect(isMeshError(foreign)).toBe(true)
  })

  it.each([undefined, null, 'policy.denied', 7, {}, new Error('no')])('does not take %s', (value) => {
    expect(isMeshError(value)).toBe(false)
  })
})

describe('refuse', () => {
  it('makes a value that says no, and holds nothing that was not given', () => {
    expect(refuse('policy.denied', 'too late')).toEqual({ kind: 'deny', code: 'policy.denied', reason: 'too late' })
    expect(refuse('breaker.open', 'wait', { retryAfterMs: 5 })).toMatchObject({ retryAfterMs: 5 })
    expect(allowed).toEqual({ kind: 'allow' })
  })
})
