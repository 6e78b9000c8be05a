import { createManualClock } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { defineSaga, withOutput } from '../definition/define-saga.ts'
import { step } from '../definition/step.ts'
import type { Fault } from '../testing/fake-mesh.fixture.ts'
import { trips } from '../testing/trip-contract.fixture.ts'
import { faults, quick, reserve, tripOptions } from '../testing/reserve-step.fixture.ts'
import { createTripLab } from '../testing/trip-lab.fixture.ts'

const input = { from: 'SFO', to: 'LIS' }
const key = (name: string): string => `acme/travel/t/${name}`

const two = defineSaga('two', tripOptions, reserve('a'), reserve('b'))

describe('an outcome', () => {
  it('declined is never undone and starts the way back', async () => {
    const lab = createTripLab()
    lab.agents.declines.add('b')
    const run = await lab.orchestrator([two]).start(two, input, { id: 't' })
    await expect(run.result()).rejects.toMatchObject({
      code: 'saga.compensated',
      details: { code: 'full', step: 'b' },
    })
    expect(run.state().steps).toMatchObject({ a: { status: 'undone' }, b: { status: 'declined', code: 'full' } })
    expect(lab.agents.world().log).toEqual([`do ${key('a')}`, `undo ${key('a')}`])
    expect(lab.mesh.calls).not.toContain('undo b acme/trips')
  })

  it('T1: lost with its reply is found by lookup and not done again', async () => {
    const lab = createTripLab()
    lab.mesh.fault = faults({ 'do a': [{ kind: 'lost-reply' }] })
    const run = await lab.orchestrator([two]).start(two, input, { id: 't' })
    expect(await run.result()).toEqual({ a: { ref: 'ref-a' }, b: { ref: 'ref-b' } })
    expect(lab.mesh.calls.slice(0, 3)).toEqual(['do a acme/trips', 'lookup a acme/trips', 'do b acme/trips'])
  })

  it('lost with its request is absent to a lookup and sent again under the same key', async () => {
    const lab = createTripLab()
    lab.mesh.fault = faults({ 'do a': [{ kind: 'lost-request' }] })
    const run = await lab.orchestrator([two]).start(two, input, { id: 't' })
    await run.result()
    expect(lab.mesh.calls.slice(0, 3)).toEqual(['do a acme/trips', 'lookup a acme/trips', 'do a acme/trips'])
    const intents = lab.journal('t').filter((event) => event.type === 'intended' && event.step === 'a')
    expect(intents).toMatchObject([
      { attempt: 1, key: key('a'), input: { what: 'a' } },
      { attempt: 2, key: key('a') },
    ])
    expect(intents[1]).not.toHaveProperty('input')
  })

  it('T5: that stays unknown is undone, and the tombstone refuses the late command', async () => {
    const lab = createTripLab()
    const lost: Fault[] = [{ kind: 'lost-request' }, { kind: 'lost-request' }, { kind: 'lost-request' }]
    lab.mesh.fault = faults({ 'do b': lost })
    let late: (() => Promise<unknown>) | undefined
    const node = lab.mesh.createNode({ name: 'acme/travel', store: lab.store, clock: lab.clock })
    const fault = lab.mesh.fault
    lab.mesh.fault = (call) => {
      if (call.saga.step === 'b' && call.saga.phase === 'do' && !late)
        late = () => node.tryCall(trips.reserve, { what: 'b' }, { to: 'acme/trips', saga: call.saga, trace: '' })
      return fault(call)
    }
    const run = await lab.orchestrator([two]).start(two, input, { id: 't' })
    expect((await run.settled()).steps).toMatchObject({ a: { status: 'undone' }, b: { status: 'undone' } })
    expect(await late?.()).toMatchObject({ kind: 'refused', code: 'saga.tombstoned' })
    expect(lab.agents.world().effects.size).toBe(0)
  })

  it('T48: refused after a lost attempt does not settle the step, which is undone', async () => {
    const lab = createTripLab()
    lab.mesh.fault = faults({
      'do a': [{ kind: 'lost-reply' }, { kind: 'refused', code: 'policy.denied' }],
      // The lookup is asked of a ledger that has not caught up, or was lied to: it says that it will not answer.
      'lookup a': [{ kind: 'refused', code: 'policy.denied' }],
    })
    const run = await lab.orchestrator([two]).start(two, input, { id: 't' })
    expect(await run.settled()).toMatchObject({ status: 'compensated', turned: { step: 'a', code: 'policy.denied' } })
    expect(lab.agents.world().log).toEqual([`do ${key('a')}`, `undo ${key('a')}`])
  })

  it('failed is retried under the same key and is not undone', async () => {
    const lab = createTripLab()
    lab.agents.throws.set('b', 2)
    const run = await lab.orchestrator([two]).start(two, input, { id: 't' })
    expect(await run.result()).toEqual({ a: { ref: 'ref-a' }, b: { ref: 'ref-b' } })
    expect(run.state().steps['b']).toMatchObject({ attempts: 3 })
    expect(lab.agents.world().log).toEqual([`do ${key('a')}`, `do ${key('b')}`])
  })

  it('failed more often than the step may be tried starts the way back', async () => {
    const lab = createTripLab()
    lab.agents.throws.set('b', 9)
    const run = await lab.orchestrator([two]).start(two, input, { id: 't' })
    await expect(run.result()).rejects.toMatchObject({ code: 'saga.compensated' })
    expect(lab.mesh.calls.filter((call) => call === 'do b acme/trips')).toHaveLength(3)
    expect(lab.mesh.calls).not.toContain('undo b acme/trips')
  })

  it('unknown of a read is asked again, without a lookup and without an undo', async () => {
    const lab = createTripLab()
    const read = defineSaga(
      'read',
      tripOptions,
      step('find', { do: trips.search, input: ({ saga }) => saga, retry: quick }),
      reserve('b'),
    )
    lab.mesh.fault = faults({ 'do find': [{ kind: 'lost-reply' }] })
    lab.agents.declines.add('b')
    const run = await lab.orchestrator([read]).start(read, input, { id: 't' })
    expect((await run.settled()).status).toBe('compensated')
    expect(lab.mesh.calls).toEqual(['do find acme/trips', 'do find acme/trips', 'do b acme/trips'])
  })

  it('refused by the callee starts the way back; with retryAfterMs it is tried again', async () => {
    const lab = createTripLab()
    lab.mesh.fault = faults({
      'do a': [{ kind: 'refused', code: 'bulkhead.full', retryAfterMs: 5_000 }],
      'do b': [{ kind: 'refused', code: 'policy.denied' }],
    })
    const before = lab.clock.now()
    const run = await lab.orchestrator([two]).start(two, input, { id: 't' })
    await expect(run.result()).rejects.toMatchObject({ details: { code: 'policy.denied', step: 'b' } })
    expect(lab.clock.now() - before).toBeGreaterThanOrEqual(5_000)
    expect(lab.agents.world().log).toEqual([`do ${key('a')}`, `undo ${key('a')}`])
  })
})

describe('a provider', () => {
  const agents = ['acme/first', 'acme/second'] as const
  const saga = defineSaga('failover', tripOptions, reserve('a', { to: agents }))

  it('refused before sending gives way to the next, journalled', async () => {
    const lab = createTripLab(undefined, agents)
    lab.mesh.fault = (call) => (call.to === 'acme/first' ? { kind: 'unsent', code: 'policy.denied' } : undefined)
    const run = await lab.orchestrator([saga]).start(saga, input, { id: 't' })
    await run.result()
    expect(run.state().steps['a']).toMatchObject({ provider: 'acme/second' })
    expect(lab.journal('t')).toContainEqual({
      type: 'provider-skipped',
      step: 'a',
      provider: 'acme/first',
      code: 'policy.denied',
      retryable: false,
    })
  })

  it('that a command may have reached is never left for another', async () => {
    const lab = createTripLab(undefined, agents)
    lab.mesh.fault = faults({
      'do a': [
        { kind: 'unsent', code: 'policy.denied' },
        { kind: 'lost-request' },
        { kind: 'unsent', code: 'breaker.open' },
      ],
    })
    const run = await lab.orchestrator([saga]).start(saga, input, { id: 't' })
    await run.result()
    expect(lab.mesh.calls).toEqual([
      'do a acme/first',
      'do a acme/second',
      'lookup a acme/second',
      'do a acme/second',
      'do a acme/second',
    ])
  })

  it('that none will take the step is a refusal', async () => {
    const lab = createTripLab(undefined, agents)
    lab.mesh.fault = () => ({ kind: 'unsent', code: 'policy.denied' })
    const run = await lab.orchestrator([saga]).start(saga, input, { id: 't' })
    expect(await run.settled()).toMatchObject({
      status: 'compensated',
      steps: { a: { status: 'refused', attempts: 1 } },
    })
  })

  it('is chosen among those that the node knows where the step names none', async () => {
    const lab = createTripLab()
    const run = await lab.orchestrator([two]).start(two, input, { id: 't' })
    await run.result()
    expect(run.state().steps['a']).toMatchObject({ provider: 'acme/trips' })
  })
})

describe('a step among owners', () => {
  const agents = ['acme/trips', 'budget/trips', 'globex/trips'] as const
  const saga = defineSaga('shopping', tripOptions, reserve('a', { among: ['globex', 'budget'] }))

  it('asks who serves it, owner by owner, and the next only if nothing was sent to the one before', async () => {
    const lab = createTripLab(undefined, agents)
    lab.mesh.fault = (call) => (call.to === 'globex/trips' ? { kind: 'unsent', code: 'policy.denied' } : undefined)
    const run = await lab.orchestrator([saga]).start(saga, input, { id: 't' })
    await run.result()
    expect(lab.mesh.calls).toEqual(['do a globex/trips', 'do a budget/trips'])
    expect(run.state().steps['a']).toMatchObject({ provider: 'budget/trips' })
  })

  it('stays with the one that was sent to, and asks no other owner', async () => {
    const lab = createTripLab(undefined, agents)
    lab.mesh.fault = faults({
      'do a': [{ kind: 'lost-request' }, { kind: 'unsent', code: 'breaker.open' }],
    })
    const run = await lab.orchestrator([saga]).start(saga, input, { id: 't' })
    await run.result()
    expect(new Set(lab.mesh.calls.map((call) => call.split(' ')[2]))).toEqual(new Set(['globex/trips']))
  })
})

describe('a saga without its broker', () => {
  it('waits for thirty seconds and goes on, with nothing undone', async () => {
    const clock = createManualClock()
    const lab = createTripLab(clock)
    let connected = true
    lab.mesh.fault = () => (connected ? undefined : { kind: 'unsent', code: 'transport.disconnected' })
    connected = false
    const run = await lab.orchestrator([two]).start(two, input, { id: 't' })
    await clock.advance(30_000)
    expect(run.state()).toMatchObject({
      status: 'waiting',
      waiting: { for: 'participant', step: 'a', code: 'transport.disconnected', untilMs: expect.any(Number) },
    })
    connected = true
    await clock.advance(30_000)
    expect(run.state().status).toBe('completed')
    expect(lab.journal('t').some((event) => event.type === 'turned')).toBe(false)
  })
})

describe('a mapper', () => {
  it.each<[string, () => { what: string }]>([
    [
      'that throws',
      () => {
        throw new Error('secret')
      },
    ],
    ['that makes no JSON', () => ({ what: new Map() as unknown as string })],
  ])('%s starts the way back, and what it said stays here', async (_, map) => {
    const lab = createTripLab()
    const saga = defineSaga('mapped', tripOptions, reserve('a'), step('b', { do: trips.reserve, input: map }))
    const run = await lab.orchestrator([saga]).start(saga, input, { id: 't' })
    await expect(run.result()).rejects.toMatchObject({ details: { code: 'saga.mapping-failed', step: 'b' } })
    expect(JSON.stringify(lab.journal('t'))).not.toContain('secret')
    expect(lab.agents.world().effects.size).toBe(0)
  })

  it('of the output runs once, at the end', async () => {
    const lab = createTripLab()
    let made = 0
    const saga = withOutput(two, ({ saga: { to }, results }) => `${to} ${results.a.ref} ${String(++made)}`)
    const run = await lab.orchestrator([saga]).start(saga, input, { id: 't' })
    expect(await run.result()).toBe('LIS ref-a 1')
    expect(await (await lab.orchestrator([saga]).attach('t')).result()).toBe('LIS ref-a 1')
  })
})
