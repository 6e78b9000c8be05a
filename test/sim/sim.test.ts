import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { applyEdits } from './cut-safeguard.ts'
import { runSeeds } from './run-seeds.ts'
import { safeguards, type SafeguardName, type SourceEdit } from './safeguards.ts'
import type { SeedReport } from './sim-facts.ts'

/** Where each safeguard was missed first, so that a test need not look for long. */
const missedAt: Readonly<Record<SafeguardName, number>> = {
  'fence-check': 808,
  inbox: 1,
  tombstone: 75,
  'intent-before-send': 3,
  'settle-rule': 129,
  'replay-window': 3,
  'undo-order': 3,
  'reply-match': 3,
  'chain-check': 6,
  'order-check': 3,
}

/** How far a test looks from there: what the seeds mean moves with every change of what they run. */
const reach = 400

async function runWithTimelines(from: number, count: number): Promise<readonly SeedReport[]> {
  const reports: SeedReport[] = []
  await runSeeds({
    from,
    count,
    jobs: 1,
    stopsAtBreach: false,
    timelines: true,
    onReport: (report) => reports.push(report),
  })
  return reports
}

describe('the simulation', () => {
  it('finds every invariant kept in 150 schedules with all faults on', async () => {
    const { runs, broken, ends } = await runSeeds({ from: 1, count: 150, jobs: 2, stopsAtBreach: false })
    expect(broken.map(({ seed, breaches }) => ({ seed, breaches }))).toEqual([])
    expect(runs).toBe(150)
    // A simulation in which nothing ends well, or nothing goes wrong, proves little.
    expect(ends['completed']).toBeGreaterThan(50)
    expect(ends['compensated']).toBeGreaterThan(50)
  }, 180_000)

  it('writes the same timeline for the same seed, to the byte, whatever ran before it, and another for another', async () => {
    const [alone] = await runWithTimelines(9, 1)
    const [other, again] = await runWithTimelines(8, 2)
    expect(alone?.timeline?.length).toBeGreaterThan(1_000)
    expect(again).toEqual(alone)
    expect(other?.timeline).not.toEqual(alone?.timeline)
  })
})

describe.each(Object.entries(safeguards) as [SafeguardName, readonly SourceEdit[]][])(
  'the safeguard %s',
  (name, edits) => {
    it('is where it is cut out', () => {
      for (const { file } of edits) {
        const source = readFileSync(join(import.meta.dirname, '../..', file), 'utf8')
        const of = edits.filter((edit) => edit.file === file)
        expect(applyEdits(source, of)).not.toBe(source)
      }
    })

    it('is missed when it is gone', async () => {
      const { broken } = await runSeeds({
        from: missedAt[name],
        count: reach,
        jobs: 1,
        stopsAtBreach: true,
        safeguard: name,
      })
      expect(broken).toHaveLength(1)
    }, 120_000)
  },
)

describe('applyEdits', () => {
  it.each([
    ['is not there', 'something else'],
    ['is there twice', 'cut me, and cut me again'],
  ])('refuses a text that %s', (_, source) => {
    expect(() => applyEdits(source, [{ file: 'a.ts', find: 'cut me', put: '' }])).toThrow('exactly once')
  })
})
