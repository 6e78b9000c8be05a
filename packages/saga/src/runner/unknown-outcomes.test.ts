import type { Outcome } from '@parley/mesh'
import { describe, expect, it } from 'vitest'
import { defineSaga } from '../definition/define-saga.ts'
import { step } from '../definition/step.ts'
import type { CallOnTheWay } from '../testing/fake-mesh.fixture.ts'
import { createInstantClock } from '../testing/instant-clock.fixture.ts'
import { anySchema, trips, type Trip } from '../testing/trip-contract.fixture.ts'
import { createTripLab, type TripLab } from '../testing/trip-lab.fixture.ts'
import { createSagas } from './create-sagas.ts'

const input = { from: 'SFO', to: 'LIS' }
const key = 'acme/travel/t/a'

/** What became of the first command while its caller gave up. */
const fates = ['did', 'did not', 'still running'] as const
/** What the orchestrator hears when it asks. `lies late`: absent, told about a command that is done by the time it is heard. */
const lookups = ['absent', 'answers', 'times out', 'lies late'] as const
/** Whether a copy of the first command reaches the participant after everything. */
const lates = [false, true] as const

interface Case {
  readonly fate: (typeof fates)[number]
  readonly lookup: (typeof lookups)[number]
  readonly late: (typeof lates)[number]
}

const cases: readonly Case[] = fates.flatMap((fate) =>
  lookups.flatMap((lookup) => lates.map((late): Case => ({ fate, lookup, late }))),
)

const saga = defineSaga(
  'unknown',
  { version: 1, input: anySchema<Trip>() },
  step('a', {
    do: trips.reserve,
    input: () => ({ what: 'a' }),
    retry: { attempts: 2, minDelayMs: 10, maxDelayMs: 100 },
  }),
  step('b', { do: trips.reserve, input: () => ({ what: 'b' }), retry: { minDelayMs: 10, maxDelayMs: 100 } }),
)

interface Ended {
  readonly lab: TripLab
  readonly status: string
  /** What the copies of the first command were answered, those that came after the end last. */
  readonly late: readonly Outcome[]
}

/**
 * Runs a saga whose first command ends unknown, and whose second attempt is refused for good, so that `unknown` has to be
 * settled by what the lookup says or by the undo.
 */
async function runUnknown({ fate, lookup, late }: Case): Promise<Ended> {
  const lab = createTripLab(createInstantClock())
  const arriving: (() => Promise<Outcome>)[] = []
  const arrived: Outcome[] = []
  let commands = 0
  let lookedUp = 0
  const lost = async (deliver: () => Promise<Outcome>): Promise<Outcome> => {
    const { hop } = await deliver()
    return { kind: 'unknown', code: 'deadline.exceeded', hop }
  }
  const unsent = (deliver: () => Promise<Outcome>): Promise<Outcome> =>
    withFault(lab, { kind: 'lost-request' }, deliver)
  const first = (deliver: () => Promise<Outcome>): Promise<Outcome> => {
    if (late) arriving.push(deliver)
    if (fate === 'did') return lost(deliver)
    if (fate === 'still running') arriving.unshift(deliver)
    return unsent(deliver)
  }
  const askAbout = async (deliver: () => Promise<Outcome>): Promise<Outcome> => {
    lookedUp++
    switch (lookup) {
      case 'answers':
        return deliver()
      case 'absent':
        return withFault(lab, { kind: 'refused', code: 'saga.command-invalid' }, deliver)
      case 'times out':
        return lookedUp <= 3 ? unsent(deliver) : deliver()
      case 'lies late': {
        const { hop } = await deliver()
        // The command that was still under way is done between the look and the answer.
        if (fate === 'still running') arrived.push(await (arriving.shift() ?? deliver)())
        return { kind: 'ok', output: { found: 'absent' }, hop }
      }
    }
  }
  const around = (call: CallOnTheWay, deliver: () => Promise<Outcome>): Promise<Outcome> => {
    if (call.saga.step !== 'a') return deliver()
    if (call.saga.phase === 'lookup') return askAbout(deliver)
    if (call.saga.phase === 'undo') return deliver()
    commands++
    if (commands === 1) return first(deliver)
    return withFault(lab, { kind: 'refused', code: 'policy.denied' }, deliver)
  }
  const node = lab.mesh.createNode({ name: 'acme/travel', store: lab.store, clock: lab.clock, around })
  const run = await createSagas(node, { definitions: [saga] }).start(saga, input, { id: 't' })
  const { status } = await run.settled()
  for (const arrive of arriving) arrived.push(await arrive())
  return { lab, status, late: arrived }
}

/** Delivers one call under a fault. */
async function withFault(
  lab: TripLab,
  fault: NonNullable<ReturnType<TripLab['mesh']['fault']>>,
  deliver: () => Promise<Outcome>,
): Promise<Outcome> {
  lab.mesh.fault = () => fault
  const outcome = deliver()
  lab.mesh.fault = () => undefined
  return outcome
}

/** What the participant's own memory makes of it, whatever the orchestrator was told. */
function expectedStatus({ fate, lookup }: Case): 'completed' | 'compensated' {
  return fate === 'did' && (lookup === 'answers' || lookup === 'times out') ? 'completed' : 'compensated'
}

describe('an unknown outcome', () => {
  it('has 24 cases', () => {
    expect(cases).toHaveLength(24)
  })

  it.each(cases)(
    'of a participant that $fate, whose lookup $lookup, is settled once and for all; a copy comes late: $late',
    async (one) => {
      const { lab, status, late } = await runUnknown(one)
      const { effects, log } = lab.agents.world()
      expect(status).toBe(expectedStatus(one))
      expect(log.filter((line) => line === `do ${key}`).length).toBeLessThanOrEqual(1)
      expect(log.filter((line) => line === `undo ${key}`).length).toBeLessThanOrEqual(1)
      expect(effects.has(key)).toBe(status === 'completed')
      // A copy of a command that is done is answered as before; of one that was undone it is refused.
      const again =
        status === 'completed' ? { kind: 'ok', output: { ref: 'ref-a' } } : { kind: 'refused', code: 'saga.tombstoned' }
      expect(late.slice(one.late ? -1 : late.length)).toMatchObject(one.late ? [again] : [])
    },
  )
})
