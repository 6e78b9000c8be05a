import { createManualClock } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { defineSaga } from '../definition/define-saga.ts'
import { step } from '../definition/step.ts'
import { signal, wait } from '../definition/wait.ts'
import { anySchema, trips, type Trip } from '../testing/trip-contract.fixture.ts'
import { createTripLab } from '../testing/trip-lab.fixture.ts'
import type { SagaView } from './describe-saga.ts'
import { readOrder } from './verify-human.ts'

const input = { from: 'SFO', to: 'LIS' }
const book = defineSaga(
  'book',
  { version: 1, input: anySchema<Trip>() },
  step('flight', { do: trips.reserve, input: () => ({ what: 'flight' }) }),
  wait('paid', signal(anySchema<null>())),
  step('hotel', { do: trips.reserve, input: () => ({ what: 'hotel' }) }),
)
const none = { running: 0, waiting: 0, undoing: 0, stuck: 0 }

describe('sagas.stats', () => {
  it('counts what waits and what is stuck, by what for and by which code, and tells of each that gets stuck once', async () => {
    const clock = createManualClock()
    const lab = createTripLab(clock)
    lab.agents.declines.add('hotel')
    lab.mesh.fault = ({ saga }) =>
      saga.step === 'flight' && saga.phase === 'undo' ? { kind: 'refused', code: 'policy.denied' } : undefined
    const told: SagaView[] = []
    const more = {
      onStuck: (view: SagaView) => {
        told.push(view)
        throw new TypeError('a pager that is broken')
      },
      verifyHuman: (token: string) => readOrder(token, JSON.parse(token) as Record<string, unknown>, 'acme/ada'),
    }
    const sagas = lab.orchestrator([book], 'did:key:zOne', more)
    expect(sagas.stats()).toEqual([])
    for (const id of ['a', 'b']) await sagas.start(book, input, { id })
    await clock.advance(1_000)
    expect(sagas.stats()).toEqual([
      {
        definition: 'book',
        open: { ...none, waiting: 2 },
        waitingFor: { signal: 2 },
        stuckBy: {},
        ended: { completed: 0, compensated: 0, aborted: 0 },
      },
    ])
    await (await sagas.attach('a')).signal('paid', null)
    await clock.advance(60_000)
    expect(sagas.stats()).toMatchObject([
      { open: { ...none, waiting: 1, stuck: 1 }, waitingFor: { signal: 1 }, stuckBy: { 'policy.denied': 1 } },
    ])
    expect(told).toMatchObject([{ id: 'a', status: 'stuck', steps: { flight: { code: 'policy.denied' } } }])

    await sagas.close()
    const next = lab.orchestrator([book], 'did:key:zTwo', more)
    const resumed = next.resume()
    await clock.advance(10_000)
    await resumed
    expect(next.stats()).toMatchObject([{ open: { ...none, waiting: 1, stuck: 1 }, stuckBy: { 'policy.denied': 1 } }])
    const skip = { agent: 'acme/travel', saga: 'a', decision: 'skip', about: 'flight', reason: 'it was refunded' }
    expect(await next.decide(JSON.stringify(skip))).toEqual({ kind: 'allow' })
    await clock.advance(60_000)
    expect(next.stats()).toMatchObject([{ open: { ...none, waiting: 1 }, stuckBy: {}, ended: { aborted: 1 } }])
    expect(told.map(({ id }) => id)).toEqual(['a', 'a'])
  })
})
