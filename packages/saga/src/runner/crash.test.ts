import { afterAll, describe, expect, it } from 'vitest'
import type { SagaDefinition } from '../definition/define-saga.ts'
import { crashEverywhere, type CrashedSaga } from '../testing/crash-lab.fixture.ts'
import type { TripAgents } from '../testing/trip-agents.fixture.ts'
import type { Trip } from '../testing/trip-contract.fixture.ts'
import { defineLocking, defineMixed, defineParallel, defineSequential } from '../testing/trip-sagas.fixture.ts'

/** Every schedule of deaths that the matrix runs; a smaller number means that crash points were lost. */
const leastSchedules = 43_000

type Shape = readonly [title: string, definition: SagaDefinition<Trip>, size: number]

const shapes: readonly Shape[] = [
  ['2 that lock', defineLocking(2), 2],
  ...[1, 2, 3, 4, 5, 6].flatMap((size): Shape[] => [
    [`${size} in sequence`, defineSequential(size), size],
    [`${size} in parallel`, defineParallel(size), size],
    ...(size < 4 ? [] : [[`${size} around a group`, defineMixed(size), size] as const]),
  ]),
]

const ends: readonly (readonly [status: string, title: string, prepare: (agents: TripAgents, size: number) => void])[] =
  [
    ['completed', 'completes with exact effects', () => undefined],
    [
      'compensated',
      'leaves nothing when the last step is declined',
      (agents, size) => {
        for (const what of [`s${size}`, `seat-s${size}`]) agents.declines.add(what)
      },
    ],
  ]

/** Every effect of a completed saga stands exactly once; of a compensated one none does; none was ever done twice, and no lock is left. */
function checkEffects({ view, world: { log, effects, locks } }: CrashedSaga, status: string, size: number): void {
  expect(view.status).toBe(status)
  expect(locks.size).toBe(0)
  expect(new Set(log).size).toBe(log.length)
  expect(effects.size).toBe(status === 'completed' ? size : 0)
}

describe('a saga whose process dies, and its participants', () => {
  let schedules = 0
  let lives = 0

  afterAll(() => {
    process.stdout.write(`crash matrix: ${schedules} schedules of two deaths, ${lives} lives that differ\n`)
  })

  for (const [status, title, prepare] of ends)
    it.each(shapes)(
      `%s: ${title}, wherever they die twice`,
      async (_, definition, size) => {
        const count = await crashEverywhere(
          definition,
          2,
          (agents) => prepare(agents, size),
          (crashed) => checkEffects(crashed, status, size),
        )
        expect(count.schedules).toBeGreaterThan(size * size)
        schedules += count.schedules
        lives += count.lives
      },
      120_000,
    )

  it('meets no fewer crash points than it ever did', () => {
    expect(schedules).toBeGreaterThanOrEqual(leastSchedules)
  })
})
