import { describe, expect, it } from 'vitest'
import type { SagaDefinition } from '../definition/define-saga.ts'
import { runWithCrashes, type CrashedSaga } from '../testing/crash-lab.fixture.ts'
import type { TripAgents } from '../testing/trip-agents.fixture.ts'
import type { Trip } from '../testing/trip-contract.fixture.ts'
import { defineParallel, defineSequential } from '../testing/trip-sagas.fixture.ts'

const sizes = [1, 2, 3, 4]
const shapes: readonly (readonly [string, SagaDefinition<Trip>, number])[] = sizes.flatMap((size) => [
  [`${size} in sequence`, defineSequential(size), size] as const,
  [`${size} in parallel`, defineParallel(size), size] as const,
])

/** Every effect of a completed saga stands exactly once; of a compensated one none does; none was ever done twice. */
function checkEffects({ view, agents }: CrashedSaga, size: number): void {
  const { log, effects } = agents.world()
  expect(new Set(log).size).toBe(log.length)
  expect(effects.size).toBe(view.status === 'completed' ? size : 0)
  expect(['completed', 'compensated']).toContain(view.status)
}

/** Crashes at every point once, and after each of these at every point of the second life. */
async function crashEverywhere(
  definition: SagaDefinition<Trip>,
  twice: boolean,
  prepare: (agents: TripAgents) => void,
  check: (crashed: CrashedSaga) => void,
): Promise<number> {
  let runs = 0
  for (let first = 0; ; first++) {
    for (let second = 0; ; second++) {
      const crashed = await runWithCrashes(definition, twice ? [first, second] : [first], prepare)
      runs++
      check(crashed)
      const lives = crashed.points.length
      if (lives === 1) return runs
      if (!twice || lives === 2) break
    }
  }
}

describe('a saga whose process dies', () => {
  it.each(shapes)('%s: completes with exact effects, wherever it dies twice', async (_, definition, size) => {
    const runs = await crashEverywhere(
      definition,
      true,
      () => undefined,
      (crashed) => {
        checkEffects(crashed, size)
        expect(crashed.view.status).toBe('completed')
      },
    )
    expect(runs).toBeGreaterThan(size * size)
  })

  it.each(shapes)(
    '%s: leaves nothing when the last step is declined, wherever it dies twice',
    async (_, definition, size) => {
      const runs = await crashEverywhere(
        definition,
        true,
        (agents) => agents.declines.add(`s${size}`),
        (crashed) => {
          checkEffects(crashed, size)
          expect(crashed.view.status).toBe('compensated')
        },
      )
      expect(runs).toBeGreaterThan(size * size)
    },
  )
})
