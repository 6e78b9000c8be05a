import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { outcomeTable } from './outcome-table.ts'
import { parseSight, type Sight } from './sight.ts'
import { cell, earnedCeilingOf, foldSight, scoreOf, standingCells, startStanding, weigh } from './standing.ts'
import { tierAt } from './tier.ts'
import { createTrustModel } from './trust-model.ts'

const dayMs = 86_400_000
const model = createTrustModel()

function sightOf(text: string): Sight {
  const sight = parseSight(text)
  if (sight === undefined) throw new Error(`no sight is written ${text}`)
  return sight
}

const ok = sightOf('callee ok')
const failed = sightOf('callee failed')
const good = sightOf('caller ok')

/** The standing of one peer, alone in its cells. */
function createStanding(start: number): {
  readonly cells: Float64Array
  readonly fold: (sight: Sight, times?: number, everyMs?: number) => number
  readonly score: (restedMs?: number) => number
  readonly tier: () => string
} {
  const cells = new Float64Array(standingCells)
  startStanding(cells, 0, start, 0)
  return {
    cells,
    fold(sight, times = 1, everyMs = 0) {
      for (let count = 0; count < times; count++)
        foldSight(model, cells, 0, sight, (cells[cell.atMs] ?? 0) + everyMs, (fromMs, toMs) => toMs - fromMs)
      return scoreOf(model, cells, 0, 0)
    },
    score: (restedMs = 0) => scoreOf(model, cells, 0, restedMs),
    tier: () => tierAt(cells[cell.tier] ?? 4),
  }
}

describe('foldSight', () => {
  it('leaves a newcomer in its tier after one failure and takes it out after three', () => {
    const newcomer = createStanding(500)
    expect([newcomer.fold(failed), newcomer.fold(failed)]).toEqual([490, 481])
    expect(newcomer.tier()).toBe('standard')
    expect(newcomer.fold(failed)).toBe(473)
    expect(newcomer.tier()).toBe('probationary')
  })

  it('brings a peer whose every call fails below 300 within 30 calls', () => {
    expect(createStanding(500).fold(failed, 30)).toBeLessThan(300)
  })

  it('makes every fifth fault in a row an incident of 50 points', () => {
    const peer = createStanding(500)
    const four = peer.fold(failed, 4)
    expect(four - peer.fold(failed)).toBeGreaterThan(50)
    const forgiven = createStanding(500)
    forgiven.fold(failed, 4)
    const declined = forgiven.fold(sightOf('callee declined'))
    expect(declined - forgiven.fold(failed)).toBeLessThan(10)
  })

  it('does not interrupt a row of faults by what the peer does as a caller', () => {
    const peer = createStanding(500)
    peer.fold(failed, 4)
    peer.fold(good)
    peer.fold(failed)
    expect(peer.cells[cell.faultsInARow]).toBe(5)
  })

  it('lets no burst of good calls buy a tier', () => {
    expect(createStanding(500).fold(ok, 49)).toBe(699)
    expect(createStanding(500).fold(ok, 50)).toBe(899)
    expect(createStanding(500).fold(ok, 5000)).toBe(899)
    expect(createStanding(500).fold(ok, 499, dayMs)).toBeLessThan(900)
    const earned = createStanding(500)
    earned.fold(ok, 501, dayMs / 500)
    expect(earnedCeilingOf(model, earned.cells, 0)).toBe(1000)
    expect(earned.tier()).toBe('verified')
  })

  it('raises callers by what they do within their grant', () => {
    expect(createStanding(500).fold(good)).toBeGreaterThan(500)
  })

  it('takes the idle time off before it adds what is new', () => {
    const earned = createStanding(500)
    earned.fold(ok, 501, dayMs / 500)
    earned.fold(ok, 1, 365 * dayMs)
    expect(weigh(model, earned.cells, 0)).toBeCloseTo(730, 0)
    expect(earned.tier()).toBe('trusted')
  })

  it('keeps scores between 0 and 1000, and good evidence never lowers nor bad evidence raises', () => {
    const sights = outcomeTable.flatMap(({ role, outcome, codes = [''] }) =>
      codes.map((code) => sightOf(`${role} ${outcome} ${code}`.trim())),
    )
    const more = [sightOf('incident 0.5 x'), sightOf('measure outputQuality 1'), sightOf('measure outputQuality 0')]
    const steps = fc.array(fc.tuple(fc.constantFrom(...sights, ...more), fc.integer({ min: 0, max: dayMs })), {
      maxLength: 40,
    })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), steps, (start, taken) => {
        const peer = createStanding(start)
        for (const [sight, elapsedMs] of taken) {
          const before = peer.score(elapsedMs)
          const after = peer.fold(sight, 1, elapsedMs)
          const isGood = sight.severity === 0 && sight.targets.every((target) => target !== 0)
          expect(after).toBeGreaterThanOrEqual(isGood ? before : 0)
          expect(after).toBeLessThanOrEqual(isGood ? 1000 : before)
        }
      }),
      { seed: 5 },
    )
  })
})

describe('scoreOf', () => {
  it('only falls as time passes without evidence', () => {
    const earned = createStanding(500)
    earned.fold(ok, 501, dayMs / 500)
    expect([0, 1, 10, 1000].map((days) => earned.score(days * dayMs))).toEqual([999, 951, 700, 700])
  })
})
