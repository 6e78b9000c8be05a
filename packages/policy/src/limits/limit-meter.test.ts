import { createManualClock } from '@parley/ports'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DocumentLimit } from '../decide-policy.ts'
import { createLimitMeter } from './limit-meter.ts'

const limit: DocumentLimit = { document: 'd', rule: 'r', max: 10, perMs: 60_000, take: 1 }
const hop = { agent: 'acme/desk', action: 'flights:reserve' }

describe('createLimitMeter', () => {
  it('lets a full bucket pass, then says when the next token is there', async () => {
    const clock = createManualClock()
    const meter = createLimitMeter({ clock })
    for (let call = 0; call < 10; call++) expect(meter.take([limit], hop).kind).toBe('allow')
    const refusal = { kind: 'deny', code: 'policy.rate-limited', retryAfterMs: 6_000, rule: 'd#r' }
    expect(meter.take([limit], hop)).toMatchObject(refusal)
    expect(meter.take([limit], { ...hop, agent: 'acme/other' }).kind).toBe('allow')
    expect(meter.take([limit], { ...hop, action: 'flights:search' }).kind).toBe('allow')
    await clock.advance(5_999)
    expect(meter.take([limit], hop)).toMatchObject({ retryAfterMs: 1 })
    await clock.advance(1)
    expect(meter.take([limit], hop).kind).toBe('allow')
    expect(meter.take([limit], hop).kind).toBe('deny')
  })

  it('takes from all buckets or from none, and nothing where it only looks', () => {
    const meter = createLimitMeter({ clock: createManualClock() })
    const small: DocumentLimit = { ...limit, rule: 'small', max: 1 }
    expect(meter.peek([limit, small], hop).kind).toBe('allow')
    expect(meter.take([limit, small], hop).kind).toBe('allow')
    for (let call = 0; call < 5; call++) expect(meter.take([limit, small], hop).kind).toBe('deny')
    for (let call = 0; call < 9; call++) expect(meter.take([limit], hop).kind).toBe('allow')
    expect(meter.take([limit], hop).kind).toBe('deny')
  })

  it('forgets only full buckets, and refuses who needs another while there is none', async () => {
    const clock = createManualClock()
    const meter = createLimitMeter({ clock, maxBuckets: 100 })
    for (let agent = 0; agent < 100; agent++) meter.take([limit], { ...hop, agent: `a/${String(agent)}` })
    expect(meter.take([limit], hop)).toMatchObject({ code: 'policy.rate-limited', retryAfterMs: 1_000 })
    expect(meter.take([limit], { ...hop, agent: 'a/5' }).kind).toBe('allow')
    await clock.advance(12_000)
    expect(meter.take([limit], hop).kind).toBe('allow')
    expect(meter.size()).toBeLessThanOrEqual(100)
  })

  it('never lets more pass than the bucket held and what flowed in', async () => {
    const step = fc.record({
      waitMs: fc.integer({ min: 0, max: 20_000 }),
      take: fc.double({ min: 0, max: 12, noNaN: true }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const clock = createManualClock()
        const meter = createLimitMeter({ clock })
        const startMs = clock.monotonic()
        let taken = 0
        for (const { waitMs, take } of steps) {
          await clock.advance(waitMs)
          if (meter.take([{ ...limit, take }], hop).kind === 'allow') taken += take
          expect(taken).toBeLessThanOrEqual(10 + ((clock.monotonic() - startMs) * 10) / 60_000 + 1e-6)
        }
      }),
      { seed: 3, numRuns: 100 },
    )
  })
})
