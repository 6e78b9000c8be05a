import { createSeededRandom } from '@parley/ports'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SagaRun } from '../runner/saga-run.ts'
import type { Fault } from '../testing/fake-mesh.fixture.ts'
import { createTripLab, type TripLab } from '../testing/trip-lab.fixture.ts'
import { defineParallel, defineSequential } from '../testing/trip-sagas.fixture.ts'
import { foldSaga } from './fold-saga.ts'

const definitions = [1, 2, 3].flatMap((size) => [defineSequential(size), defineParallel(size)])
const faults: readonly (Fault | undefined)[] = [
  undefined,
  { kind: 'lost-request' },
  { kind: 'lost-reply' },
  { kind: 'unsent', code: 'breaker.open' },
  { kind: 'unsent', code: 'policy.denied' },
  { kind: 'refused', code: 'policy.denied' },
  { kind: 'refused', code: 'bulkhead.full', retryAfterMs: 50 },
]

/** Runs a saga over a bus that misbehaves as the seed says, forward only: what is undone is reached in the end. */
async function runSeeded(seed: number, lab: TripLab): Promise<SagaRun> {
  const random = createSeededRandom(seed)
  const definition = definitions[Math.floor(random.float() * definitions.length)]
  if (!definition) throw new TypeError('no definition')
  lab.mesh.fault = ({ saga }) => {
    if (random.float() < 0.5) return undefined
    const fault = faults[Math.floor(random.float() * faults.length)]
    // A refusal for good makes an undo stuck, which other tests look at.
    return saga.phase === 'undo' && fault && 'code' in fault && fault.code === 'policy.denied' ? undefined : fault
  }
  if (random.float() < 0.3) lab.agents.declines.add('s2')
  const run = await lab.orchestrator([definition]).start(definition, { from: 'a', to: 'b' }, { id: 't' })
  await run.settled()
  return run
}

describe('foldSaga', () => {
  it('of the journal is the state that the runner had, at any cut, with exact effects', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.nat(), async (seed, cut) => {
        const lab = createTripLab()
        const run = await runSeeded(seed, lab)
        const events = lab.journal('t')
        const whole = foldSaga(events)
        const at = 1 + (cut % events.length)
        expect(foldSaga(events.slice(at), foldSaga(events.slice(0, at)))).toEqual(whole)
        expect(JSON.parse(JSON.stringify(whole))).toEqual(whole)
        const attached = await lab.orchestrator([]).attach('t')
        expect(attached.state()).toEqual(run.state())
        const { effects, log } = lab.agents.world()
        expect(new Set(log).size).toBe(log.length)
        const { status, steps } = run.state()
        expect(['completed', 'compensated']).toContain(status)
        expect(effects.size).toBe(status === 'completed' ? Object.keys(steps).length : 0)
      }),
      { numRuns: 150 },
    )
  })

  it('refuses a journal that does not begin with its start, names no step of the plan, or is empty', async () => {
    const lab = createTripLab()
    await runSeeded(1, lab)
    const [started, ...rest] = lab.journal('t')
    if (!started) throw new TypeError('no start')
    const corrupt = expect.objectContaining({ code: 'saga.journal-corrupt' })
    expect(() => foldSaga([])).toThrow(corrupt)
    expect(() => foldSaga(rest)).toThrow(corrupt)
    expect(() => foldSaga([started, started])).toThrow(corrupt)
    expect(() => foldSaga([started, { type: 'unknown', step: 'elsewhere', code: '' }])).toThrow(corrupt)
  })

  it('changes nothing by an event that its state does not allow', async () => {
    const lab = createTripLab()
    await runSeeded(1, lab)
    const [started] = lab.journal('t')
    if (!started) throw new TypeError('no start')
    const before = foldSaga([started])
    const after = foldSaga([{ type: 'undone', step: 's1', by: 'reply' }, { type: 'compensated' }], before)
    expect(after.life).toEqual(before.life)
    expect(after.steps['s1']?.snapshot).toEqual(before.steps['s1']?.snapshot)
  })
})
