import { describe, expect, it } from 'vitest'
import { decideHopTargets } from './hop-targets.ts'

describe('decideHopTargets', () => {
  it('holds throughput from below and latency from above', () => {
    const row = (inFlight: number, ratio: number, p99: number, p50: number): Record<string, string | number> => ({
      contestant: 'parley',
      inFlight,
      'ratio to nats request': ratio,
      'p99 ratio to nats request': p99,
      'p50 ratio to nats request': p50,
    })
    const targets = decideHopTargets([row(1, 0.1, 9, 2.8), row(64, 0.7, 2, 9), row(256, 0.69, 2.1, 9)])
    expect(targets.map(({ holds }) => holds)).toEqual([true, true, true, false, false])
  })

  it('says nothing of what was not measured', () => {
    expect(decideHopTargets([{ contestant: 'nats request', inFlight: 64 }])).toEqual([])
  })
})
