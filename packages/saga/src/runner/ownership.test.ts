import { createManualClock, type Journal } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { defineSaga } from '../definition/define-saga.ts'
import { step } from '../definition/step.ts'
import { anySchema, trips, type Trip } from '../testing/trip-contract.fixture.ts'
import { createTripLab, type TripLab } from '../testing/trip-lab.fixture.ts'
import { signal, wait } from '../definition/wait.ts'
import { readOrder } from './verify-human.ts'
import { createSagas } from './create-sagas.ts'
import type { Sagas, SagasOptions } from './sagas.ts'

const input = { from: 'SFO', to: 'LIS' }
const two = defineSaga(
  'two',
  { version: 1, input: anySchema<Trip>() },
  step('flight', { do: trips.reserve, input: ({ saga }) => ({ what: saga.to }) }),
  step('hotel', { do: trips.reserve, input: ({ results }) => ({ what: results.flight.ref }) }),
)

const stuck = defineSaga(
  'stuck',
  { version: 1, input: anySchema<Trip>() },
  step('flight', { do: trips.reserve, input: () => ({ what: 'flight' }) }),
  step('hotel', { do: trips.reserve, input: () => ({ what: 'hotel' }) }),
)
const waiting = defineSaga(
  'waiting',
  { version: 1, input: anySchema<Trip>() },
  wait('paid', signal(anySchema<null>())),
  step('flight', { do: trips.reserve, input: () => ({ what: 'flight' }) }),
)
const verifyHuman = (token: string) => readOrder(token, JSON.parse(token) as Record<string, unknown>, 'acme/ada')

interface Gated {
  readonly sagas: Sagas
  /** Commands that reached the gate. */
  readonly sent: string[]
  open(): void
}

/** An instance whose commands wait at a gate until it is opened. */
function gated(lab: TripLab, instance: string, options: Omit<SagasOptions, 'definitions'> = {}): Gated {
  const gate = Promise.withResolvers<undefined>()
  const sent: string[] = []
  const node = lab.mesh.createNode({
    name: 'acme/travel',
    store: lab.store,
    clock: lab.clock,
    instance,
    around: async (call, deliver) => {
      sent.push(`${call.saga.id} ${call.saga.phase} ${call.saga.step}`)
      await gate.promise
      return deliver()
    },
  })
  return { sagas: createSagas(node, { ...options, definitions: [two] }), sent, open: () => gate.resolve(undefined) }
}

describe('instances of one name', () => {
  it('do not take sagas from each other, however long and often they look', async () => {
    const clock = createManualClock()
    const lab = createTripLab(clock)
    const one = gated(lab, 'did:key:zOne')
    const runs = [await one.sagas.start(two, input, { id: 'a' }), await one.sagas.start(two, input, { id: 'b' })]
    const others = [lab.orchestrator([two], 'did:key:zTwo'), lab.orchestrator([two], 'did:key:zThree')]
    for (const other of others) expect(await other.resume()).toEqual({ adopted: [], stopped: [] })
    await clock.advance(120_000)
    expect(await one.sagas.resume()).toEqual({ adopted: [], stopped: [] })
    one.open()
    for (const run of runs) expect(await run.settled()).toMatchObject({ status: 'completed', epoch: 1 })
    await one.sagas.close()
  })

  it('T14, T15: take what is of an instance whose heartbeat stood still by their own clock, and another name takes nothing', async () => {
    const clock = createManualClock()
    const lab = createTripLab(clock)
    const paused = createManualClock()
    const node = lab.mesh.createNode({
      name: 'acme/travel',
      store: lab.store,
      clock: paused,
      around: () => new Promise(() => undefined),
    })
    await createSagas(node, { definitions: [two] }).start(two, input, { id: 't' })
    const stranger = lab.mesh.createNode({ name: 'acme/other', store: lab.store, clock, instance: 'did:key:zTwo' })
    const other = createSagas(stranger, { definitions: [two] })
    await other.resume()
    const second = lab.orchestrator([two], 'did:key:zTwo')
    await second.resume()
    await clock.advance(4_000)
    expect((await second.attach('t')).state().epoch).toBe(1)
    await clock.advance(4_000)
    const run = await second.attach('t')
    expect(await run.settled()).toMatchObject({ status: 'completed', epoch: 2 })
    expect(lab.journal('t').flatMap((event) => (event.type === 'owned' ? [event.instance] : []))).toEqual([
      'did:key:zOne',
      'did:key:zTwo',
    ])
    await other.close()
  })

  it('hand their sagas over when they drain and close, with what was under way answered', async () => {
    const lab = createTripLab()
    const one = gated(lab, 'did:key:zOne')
    await one.sagas.start(two, input, { id: 't' })
    const drained = one.sagas.drain()
    await expect(one.sagas.start(two, input, { id: 'u' })).rejects.toMatchObject({ code: 'saga.closed' })
    one.open()
    await drained
    await one.sagas.close()
    const next = lab.orchestrator([two], 'did:key:zTwo')
    await next.resume()
    expect(await (await next.attach('t')).settled()).toMatchObject({ status: 'completed', epoch: 2 })
    // Nothing had to be looked up: the flight was committed, and the hotel not sent.
    expect(lab.mesh.calls).toEqual(['do flight acme/trips', 'do hotel acme/trips'])
  })

  it.each(['close', 'drain'] as const)(
    'take nothing over any more when they %s, and wait for what they are taking',
    async (end) => {
      const lab = createTripLab()
      const one = gated(lab, 'did:key:zOne')
      for (const id of ['a', 'b']) await one.sagas.start(two, input, { id })
      await one.sagas.close()
      const held = Promise.withResolvers<undefined>()
      const journal: Journal = {
        ...lab.store.journal,
        async read(...given) {
          await held.promise
          return lab.store.journal.read(...given)
        },
      }
      const next = lab.orchestrator([two], 'did:key:zTwo', { store: { ...lab.store, journal } })
      const resumed = next.resume()
      await new Promise<void>((resolve) => lab.clock.defer(resolve))
      const ended = next[end]()
      held.resolve(undefined)
      await ended
      const written = lab.store.appends()
      expect(await resumed).toEqual({ adopted: [], stopped: [] })
      expect(['a', 'b'].flatMap((id) => lab.journal(id).filter(({ type }) => type === 'owned'))).toHaveLength(2)
      expect(lab.store.appends()).toBe(written)
      expect(lab.mesh.calls).toHaveLength(2)
    },
  )

  it('T16: take over so many at a time after an outage', async () => {
    const clock = createManualClock()
    const lab = createTripLab(clock)
    const one = gated(lab, 'did:key:zOne')
    for (let at = 0; at < 20; at++) await one.sagas.start(two, input, { id: `t${at}` })
    await one.sagas.close()
    const next = gated(lab, 'did:key:zTwo', { recoveryConcurrency: 4 })
    const resumed = next.sagas.resume()
    await clock.settle()
    expect(next.sent).toHaveLength(4)
    await clock.advance(60)
    expect(next.sent).toHaveLength(8)
    await clock.advance(1_000)
    expect((await resumed).adopted).toHaveLength(20)
    await next.sagas.close()
  })
})

describe('a saga of another instance', () => {
  it('goes on soon after a human decided, also where its instance is gone and nobody looked at it', async () => {
    const clock = createManualClock()
    const lab = createTripLab(clock)
    lab.mesh.fault = ({ saga }) =>
      saga.step === 'hotel' || saga.phase === 'undo' ? { kind: 'refused', code: 'policy.denied' } : undefined
    const one = lab.orchestrator([stuck], 'did:key:zOne')
    await one.start(stuck, input, { id: 't' })
    await clock.advance(10_000)
    await one.close()
    const two = lab.orchestrator([stuck], 'did:key:zTwo', { verifyHuman })
    await two.resume()
    expect((await two.attach('t')).state().status).toBe('stuck')
    await clock.advance(10_000)
    const skip = { agent: 'acme/travel', saga: 't', decision: 'skip', about: 'flight', reason: 'refunded' }
    expect(await two.decide(JSON.stringify(skip))).toEqual({ kind: 'allow' })
    await clock.advance(3_000)
    expect((await two.attach('t')).state()).toMatchObject({ status: 'aborted', epoch: 2 })
  })

  it('leaves neither its lease nor what was rung for it when it died', async () => {
    const clock = createManualClock()
    const lab = createTripLab(clock)
    const paused = createManualClock()
    const node = lab.mesh.createNode({ name: 'acme/travel', store: lab.store, clock: paused })
    await createSagas(node, { definitions: [waiting] }).start(waiting, input, { id: 't' })
    const two = lab.orchestrator([waiting], 'did:key:zTwo')
    expect(await (await two.attach('t')).signal('paid', null)).toEqual({ kind: 'allow' })
    const left = (): readonly string[] => [...lab.store.contents().values.keys()]
    expect(left()).toEqual(['saga-lease/acme/travel/did:key:zOne', 'saga-bell/acme/travel/did:key:zOne/t'])
    await two.resume()
    await clock.advance(10_000)
    expect((await two.attach('t')).state()).toMatchObject({ status: 'completed', epoch: 2 })
    expect(left().some((key) => key.startsWith('saga-bell/'))).toBe(false)
    await clock.advance(600_000)
    expect(left()).toEqual([])
  })

  it('is cancelled from anywhere: its owner takes in what was added, and keeps the saga', async () => {
    const clock = createManualClock()
    const lab = createTripLab(clock)
    const one = gated(lab, 'did:key:zOne')
    const run = await one.sagas.start(two, input, { id: 't' })
    const other = await lab.orchestrator([two], 'did:key:zTwo').attach('t')
    expect(await other.cancel('rain')).toEqual({ kind: 'allow', stopped: {} })
    await clock.advance(2_000)
    expect(run.state()).toMatchObject({
      status: 'undoing',
      turned: { code: 'saga.cancelled', reason: 'rain' },
      epoch: 1,
    })
    one.open()
    expect(await run.settled()).toMatchObject({ status: 'compensated', epoch: 1 })
    expect(await other.cancel('again')).toMatchObject({ code: 'saga.cancel-refused' })
    await one.sagas.close()
  })

  it('takes a note in also when its own append comes first', async () => {
    const lab = createTripLab(createManualClock())
    const one = gated(lab, 'did:key:zOne')
    const run = await one.sagas.start(two, input, { id: 't' })
    expect(await (await lab.orchestrator([two], 'did:key:zTwo').attach('t')).cancel('rain')).toMatchObject({
      kind: 'allow',
    })
    // No bell was heard yet: the outcome of the flight meets the note in the journal.
    one.open()
    expect(await run.settled()).toMatchObject({
      status: 'compensated',
      epoch: 1,
      steps: { hotel: { status: 'skipped' } },
    })
    await one.sagas.close()
  })
})

describe('sagas of one key', () => {
  it('run one after the other, in the order of their starts, across instances', async () => {
    const lab = createTripLab()
    const one = gated(lab, 'did:key:zOne')
    const other = lab.orchestrator([two], 'did:key:zTwo')
    const first = await one.sagas.start(two, input, { id: 'first', key: 'seat 1' })
    for await (const { event } of first.events()) if (event.type === 'intended') break
    const second = await other.start(two, input, { id: 'second', key: 'seat 1' })
    const free = await other.start(two, input, { id: 'free', key: 'seat 2' })
    expect((await free.settled()).status).toBe('completed')
    for await (const { event } of second.events()) if (event.type === 'queued') break
    expect(second.state()).toMatchObject({ status: 'waiting', waiting: { for: 'another-saga', step: 'first' } })
    one.open()
    expect((await second.settled()).status).toBe('completed')
    expect(lab.agents.world().log.filter((line) => !line.includes('free'))).toEqual([
      'do acme/travel/first/flight',
      'do acme/travel/first/hotel',
      'do acme/travel/second/flight',
      'do acme/travel/second/hotel',
    ])
    await one.sagas.close()
  })

  it('wait again under their next owner', async () => {
    const lab = createTripLab()
    const one = gated(lab, 'did:key:zOne')
    await one.sagas.start(two, input, { id: 'first', key: 'seat 1' })
    await one.sagas.start(two, input, { id: 'second', key: 'seat 1' })
    await one.sagas.close()
    const next = lab.orchestrator([two], 'did:key:zTwo')
    for (const id of (await next.resume()).adopted)
      expect((await (await next.attach(id)).settled()).status).toBe('completed')
    expect(lab.agents.world().log.map((line) => line.split('/')[2])).toEqual(['first', 'first', 'second', 'second'])
  })
})

describe('a definition with few places', () => {
  it('works on so many, tells how many wait, and refuses what is too many', async () => {
    const lab = createTripLab()
    const one = gated(lab, 'did:key:zOne', { concurrency: 2, maxBacklog: 3 })
    for (let at = 0; at < 5; at++) await one.sagas.start(two, input, { id: `t${at}` })
    expect(one.sent).toEqual(['t0 do flight', 't1 do flight'])
    expect(one.sagas.load()).toEqual([{ definition: 'two', running: 2, waiting: 3 }])
    await expect(one.sagas.start(two, input, { id: 't5' })).rejects.toMatchObject({ code: 'saga.backlog-full' })
    expect(lab.store.streams.has('saga/acme/travel/t5')).toBe(false)
    one.open()
    for (let at = 0; at < 5; at++) expect((await (await one.sagas.attach(`t${at}`)).settled()).status).toBe('completed')
    await one.sagas.close()
    expect(one.sagas.load()).toEqual([{ definition: 'two', running: 0, waiting: 0 }])
  })

  it('hear what was rung for them while another one looked at everything: it swept no bell of who came up meanwhile', async () => {
    const clock = createManualClock()
    const lab = createTripLab(clock)
    const zero = lab.orchestrator([waiting], 'did:key:zZero')
    await zero.start(waiting, input, { id: 'x' })
    await zero.close()
    const gate = Promise.withResolvers<undefined>()
    const { journal } = lab.store
    const read: Journal['read'] = async (stream, ...more) => {
      if (stream.endsWith('/x')) await gate.promise
      return journal.read(stream, ...more)
    }
    const looking = lab.orchestrator([waiting], 'did:key:zA', {
      store: { ...lab.store, journal: { ...journal, read } },
    })
    const resumed = looking.resume()
    await clock.advance(10)
    const newcomer = lab.orchestrator([waiting], 'did:key:zB')
    await newcomer.start(waiting, input, { id: 't' })
    const third = lab.orchestrator([waiting], 'did:key:zC')
    expect(await (await third.attach('t')).signal('paid', null)).toEqual({ kind: 'allow' })
    gate.resolve(undefined)
    await clock.advance(60)
    await resumed
    await clock.advance(60_000)
    expect((await newcomer.attach('t')).state()).toMatchObject({ status: 'completed' })
  })
})
