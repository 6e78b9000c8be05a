import { createManualClock } from '@parley/ports'
import { limits } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { createSendPace } from './send-pace.ts'
import { createSenderBuckets } from '../session/sender-buckets.ts'

describe('createSendPace', () => {
  it('never lets more leave than the bucket of a recipient takes', async () => {
    const clock = createManualClock()
    const pace = createSendPace(clock)
    const bucket = createSenderBuckets(clock)
    bucket.admit('did')
    let sent = 0
    for (let step = 0; step < 30; step++) {
      for (; pace.take('subject') === 0; sent++) expect(bucket.take('did')).toBe(0)
      await clock.advance(100)
    }
    expect(sent).toBeGreaterThan(3.5 * limits.signaturesPerSecond)
  })

  it('says when the next one may leave, and each subject has its own', async () => {
    const clock = createManualClock()
    const pace = createSendPace(clock, 10)
    for (let count = 0; count < 10; count++) expect(pace.take('a')).toBe(0)
    const waitMs = pace.take('a')
    expect(waitMs).toBe(100)
    expect(pace.take('b')).toBe(0)
    await clock.advance(waitMs)
    expect(pace.take('a')).toBe(0)
  })

  it('forgets subjects that have rested', async () => {
    const clock = createManualClock()
    const pace = createSendPace(clock, 10)
    for (let count = 0; count < 10; count++) pace.take('busy')
    for (let round = 0; round < 3; round++) {
      for (let at = 0; at < 2_000; at++) expect(pace.take(`${String(round)} ${String(at)}`)).toBe(0)
      await clock.advance(1_000)
    }
    expect(pace.take('busy')).toBe(0)
  })
})
