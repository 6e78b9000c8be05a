import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createManualClock } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { defineSaga } from '../definition/define-saga.ts'
import { step } from '../definition/step.ts'
import { pause, signal, wait } from '../definition/wait.ts'
import type { JournaledEvent } from '../journal/journal-format.ts'
import { anySchema, trips, type Trip } from '../testing/trip-contract.fixture.ts'
import { createTripLab, type TripLab } from '../testing/trip-lab.fixture.ts'
import { createParkedSagas } from './parked-sagas.ts'
import { createSagaFeed, type SagaFeed } from './saga-feed.ts'

const input = { from: 'SFO', to: 'LIS' }
const asked = defineSaga(
  'asked',
  { version: 1, input: anySchema<Trip>() },
  wait('go', signal(anySchema<string>())),
  step('flight', { do: trips.reserve, input: ({ saga }) => ({ what: saga.to }) }),
)
const later = defineSaga(
  'later',
  { version: 1, input: anySchema<Trip>() },
  wait('night', pause(60_000)),
  step('flight', { do: trips.reserve, input: ({ saga }) => ({ what: saga.to }) }),
)

const collect = (): void => {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}

/** The events of a saga that waits. */
async function waiting(id = 't'): Promise<readonly JournaledEvent[]> {
  const clock = createManualClock()
  const sagas = createTripLab(clock).orchestrator([asked])
  await sagas.start(asked, input, { id })
  await clock.settle()
  return (await sagas.show(id)).events
}

function readRejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

/** How often the journal of a saga is read. */
function countReads(lab: TripLab): () => number {
  const { journal } = lab.store
  const { read } = journal
  let reads = 0
  journal.read = (...given) => {
    reads++
    return read(...given)
  }
  return () => reads
}

describe('createParkedSagas', () => {
  it('I1: keeps nothing of a saga but what wakes it', async () => {
    const past = await waiting()
    const parked = createParkedSagas(createManualClock(), () => undefined)
    const park = (): WeakRef<SagaFeed> => {
      const feed = createSagaFeed(past)
      parked.park('t', feed, undefined)
      return new WeakRef(feed)
    }
    const feed = park()
    await new Promise((resolve) => setImmediate(resolve))
    collect()
    expect(feed.deref()).toBeUndefined()
    expect(parked.has('t')).toBe(true)
    expect(parked.take('t')).toBeUndefined()
  })

  it.each(['before', 'after'])('I2: keeps the feed for who began to wait on it %s it was parked', async (when) => {
    const past = await waiting()
    const parked = createParkedSagas(createManualClock(), () => undefined)
    const park = (): void => {
      const feed = createSagaFeed(past)
      if (when === 'before') void feed.changed()
      parked.park('t', feed, undefined)
      if (when === 'after') void feed.changed()
    }
    park()
    await new Promise((resolve) => setImmediate(resolve))
    collect()
    expect(parked.take('t')?.state.started.id).toBe('t')
  })

  it('I3: looks at the clock again where the wall clock was set back, and is late by an hour at most', async () => {
    const past = await waiting()
    const clock = createManualClock()
    const due: string[] = []
    const parked = createParkedSagas(clock, (id) => due.push(id))
    parked.park('t', createSagaFeed(past), clock.now() + 60_000)
    clock.jump(-600_000)
    await clock.advance(600_000)
    expect(due).toEqual([])
    await clock.advance(60_000)
    expect(due).toEqual(['t'])
    parked.park('u', createSagaFeed(past), clock.now() + 86_400_000)
    clock.jump(86_400_000)
    await clock.advance(3_600_000)
    expect(due).toEqual(['t', 'u'])
  })
})

describe('a saga that waits for somebody', () => {
  it('is read from its journal again when it is signalled, and its run goes on', async () => {
    const clock = createManualClock()
    const lab = createTripLab(clock)
    const run = await lab.orchestrator([asked]).start(asked, input, { id: 't' })
    await clock.settle()
    const reads = countReads(lab)
    const result = run.result()
    expect(await run.signal('go', 'now')).toEqual({ kind: 'allow' })
    expect(reads()).toBe(1)
    expect(await result).toMatchObject({ flight: { ref: 'ref-LIS' } })
    expect(lab.journal('t').filter(({ type }) => type === 'owned')).toHaveLength(1)
  })

  it('stops with a code if its journal was damaged meanwhile, is told of, and others wake', async () => {
    const clock = createManualClock()
    const lab = createTripLab(clock)
    const sagas = lab.orchestrator([asked, later])
    await sagas.resume()
    const run = await sagas.start(asked, input, { id: 'damaged' })
    const sound = await sagas.start(later, input, { id: 'sound' })
    await clock.settle()
    const ended = readRejection(run.result())
    lab.store.streams.get('saga/acme/travel/damaged')?.splice(1, 1)
    await expect(run.signal('go', 'now')).rejects.toMatchObject({ code: 'saga.journal-corrupt' })
    expect(await ended).toMatchObject({ code: 'saga.journal-corrupt' })
    await clock.advance(61_000)
    expect((await sound.settled()).status).toBe('completed')
    expect((await sagas.resume()).stopped).toMatchObject([{ id: 'damaged', error: { code: 'saga.journal-corrupt' } }])
  })

  it('is tried again where the store could not be read when it was due', async () => {
    const clock = createManualClock()
    const lab = createTripLab(clock)
    const sagas = lab.orchestrator([later])
    await sagas.resume()
    await sagas.start(later, input, { id: 't' })
    await clock.settle()
    const { read } = lab.store.journal
    lab.store.journal.read = () => Promise.reject(new Error('the disk is away'))
    await clock.advance(61_000)
    lab.store.journal.read = read
    await clock.advance(10_000)
    expect((await sagas.attach('t')).state()).toMatchObject({ status: 'completed', epoch: 2 })
  })

  it('is another instance’s once that took it, and its run says so when it is due', async () => {
    const clock = createManualClock()
    const lab = createTripLab(clock)
    const run = await lab.orchestrator([later]).start(later, input, { id: 't' })
    await clock.settle()
    const taker = createManualClock(clock.now())
    const other = lab.orchestrator([later], 'did:key:zTwo', { clock: taker })
    const looking = other.resume()
    await taker.advance(6_000)
    await looking
    await taker.advance(6_000)
    const ended = readRejection(run.settled())
    await clock.advance(61_000)
    expect(await ended).toMatchObject({ code: 'saga.not-owned' })
    expect((await other.attach('t')).state().epoch).toBe(2)
  })
})
