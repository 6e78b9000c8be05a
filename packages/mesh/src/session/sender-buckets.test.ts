import { createManualClock } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createSenderBuckets } from './sender-buckets.ts'

describe('createSenderBuckets', () => {
  it('lets a sender have its rate, and says how long to wait', async () => {
    const clock = createManualClock()
    const buckets = createSenderBuckets(clock, 10)
    for (let token = 0; token < 10; token++) expect(buckets.take('did:a')).toBe(0)
    expect(buckets.take('did:a')).toBe(100)
    await clock.advance(100)
    expect([buckets.take('did:a'), buckets.take('did:a')]).toEqual([0, 100])
  })

  it('gives all strangers one bucket, and each admitted sender one of its own', () => {
    const buckets = createSenderBuckets(createManualClock(), 2)
    buckets.admit('did:known')
    expect([buckets.take('did:a'), buckets.take('did:b')]).toEqual([0, 0])
    expect(buckets.take('did:c')).toBeGreaterThan(0)
    expect([buckets.take('did:known'), buckets.take('did:known')]).toEqual([0, 0])
    expect(buckets.take('did:known')).toBeGreaterThan(0)
  })

  it('lets a known sender pay for its tokens, and no stranger twice', () => {
    const buckets = createSenderBuckets(createManualClock(), 10)
    buckets.admit('did:known')
    expect([buckets.take('did:known'), buckets.charge('did:known', 8)]).toEqual([0, 0])
    expect(buckets.charge('did:known', 2)).toBe(100)
    expect([buckets.charge('did:known', 1), buckets.take('did:known')]).toEqual([0, 100])
    expect([buckets.charge('did:stranger', 50), buckets.take('did:stranger', 10)]).toEqual([0, 0])
  })

  it('makes a stranger of the sender that was admitted longest ago, and of nobody who is admitted again', () => {
    const buckets = createSenderBuckets(createManualClock(), 1, 2)
    for (const sender of ['did:a', 'did:b', 'did:b', 'did:c']) buckets.admit(sender)
    expect(buckets.take('did:stranger')).toBe(0)
    expect([buckets.take('did:a') > 0, buckets.take('did:b'), buckets.take('did:c')]).toEqual([true, 0, 0])
  })
})
