import { describe, expect, it } from 'vitest'
import { decideSagaTargets } from './saga-targets.ts'

const local = { part: 'local, completed', contestant: 'parley on SQLite' }

describe('decideSagaTargets', () => {
  it('judges ours by the better of both peers', () => {
    const row = { ...local, inFlight: 64, 'ratio to restate': 4.9, 'ratio to dbos': 12 }
    expect(decideSagaTargets([row])).toEqual([
      expect.objectContaining({ value: 4.9, target: 5, holds: false }) as object,
    ])
    expect(decideSagaTargets([{ ...row, 'ratio to restate': 5 }])[0]).toMatchObject({ holds: true })
  })

  it('does not judge where a peer is missing', () => {
    const rows = [
      { ...local, inFlight: 64, 'ratio to dbos': 12 },
      { part: local.part, contestant: 'restate', missing: 'no binary for this machine' },
    ]
    expect(decideSagaTargets(rows)).toEqual([])
  })

  it('wants little latency alone, many remote sagas, little memory', () => {
    const held = decideSagaTargets([
      { ...local, inFlight: 1, p50Ms: 2.1 },
      { part: 'remote, completed', contestant: 'parley, three participants', inFlight: 64, sagasPerSecond: 1_000 },
      { part: 'waiting', residentMb: 500, wakeMaxMs: 50.1 },
    ]).map(({ holds }) => holds)
    expect(held).toEqual([false, true, true, false])
  })
})
