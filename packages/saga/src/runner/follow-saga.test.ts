import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createManualClock, type ManualClock } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { defineSaga } from '../definition/define-saga.ts'
import { step } from '../definition/step.ts'
import { signal, wait } from '../definition/wait.ts'
import { anySchema, trips, type Trip } from '../testing/trip-contract.fixture.ts'
import { createTripLab } from '../testing/trip-lab.fixture.ts'
import { serveSagas } from '../serving/serve-sagas.ts'
import type { Sagas } from './sagas.ts'

type Follow = ReturnType<typeof serveSagas>['follow']

const asked = defineSaga(
  'asked',
  { version: 1, input: anySchema<Trip>() },
  wait('go', signal(anySchema<null>())),
  step('flight', { do: trips.reserve, input: ({ saga }) => ({ what: saga.to }) }),
)

interface Site {
  readonly clock: ManualClock
  readonly driver: Sagas
  readonly looker: Sagas
  /** How often the journal was read in so many milliseconds. */
  readsIn(ms: number): Promise<number>
}

/** One instance that drives a waiting saga, and another that looks on. */
async function open(): Promise<Site> {
  const clock = createManualClock()
  const lab = createTripLab(clock)
  const driver = lab.orchestrator([asked], 'did:key:zOne')
  await driver.start(asked, { from: 'SFO', to: 'LIS' }, { id: 't' })
  const { read } = lab.store.journal
  let reads = 0
  lab.store.journal.read = (...given) => {
    reads++
    return read(...given)
  }
  return {
    clock,
    driver,
    looker: lab.orchestrator([asked], 'did:key:zTwo'),
    async readsIn(ms) {
      const before = reads
      await clock.advance(ms)
      return reads - before
    },
  }
}

/** Lets everything go that nobody holds: what a turn of the event loop looked at weakly it holds to its end. */
async function collect(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}

describe('followSaga', () => {
  it('I1: looks at a saga no more once nobody holds its run', async () => {
    const { looker, readsIn } = await open()
    await (async () => expect((await looker.attach('t')).state().status).toBe('waiting'))()
    await collect()
    await readsIn(1_000)
    await collect()
    expect(await readsIn(10_000)).toBe(0)
  })

  it('I1: goes on for who waits for its end, and for who holds its run', async () => {
    const { clock, driver, looker, readsIn } = await open()
    const settled = (async () => (await looker.attach('t')).settled())()
    for (let at = 0; at < 3; at++) {
      await clock.settle()
      await collect()
      expect(await readsIn(1_000)).toBeGreaterThan(0)
    }
    const held = await looker.attach('t')
    await (await driver.attach('t')).signal('go', null)
    await clock.advance(2_000)
    expect((await settled).status).toBe('completed')
    expect(held.state().status).toBe('completed')
    expect(await readsIn(10_000)).toBe(0)
  })
})

describe('the events of a run', () => {
  it('end when they are told to, also where the saga waits, and so does `saga:follow` when its caller is gone', async () => {
    const { driver, looker, readsIn } = await open()
    for (const sagas of [driver, looker]) {
      const told = new AbortController()
      const served = serveSagas(sagas).follow({ id: 't' }, { signal: told.signal } as Parameters<Follow>[1])
      const types = new Set<string>()
      const reading = (async () => {
        for await (const { event } of served) types.add(event.type)
      })()
      await readsIn(1_000)
      expect(types).toContain('wait-opened')
      told.abort()
      await reading
    }
    await collect()
    await readsIn(1_000)
    await collect()
    expect(await readsIn(10_000)).toBe(0)
  })
})
