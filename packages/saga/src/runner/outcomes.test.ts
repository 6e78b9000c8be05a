import { createManualClock } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { defineSaga, withOutput } from '../definition/define-saga.ts'
import { parallel } from '../definition/parallel.ts'
import { sequence } from '../definition/sequence.ts'
import { pivot, step } from '../definition/step.ts'
import type { Fault } from '../testing/fake-mesh.fixture.ts'
import { anySchema, trips, type Trip } from '../testing/trip-contract.fixture.ts'
import { createTripLab } from '../testing/trip-lab.fixture.ts'
import { createSagas } from './create-sagas.ts'

const input = { from: 'SFO', to: 'LIS' }
const options = { version: 1, input: anySchema<Trip>() }
const quick = { minDelayMs: 10, maxDelayMs: 100 }
const key = (name: string): string => `acme/travel/t/${name}`

const reserve = <const Name extends string>(
  name: Name,
  more: { readonly to?: readonly `${string}/${string}`[] } = {},
) =>
  step(name, {
    do: trips.reserve,
    input: (_context: { saga: Trip; results: unknown }) => ({ what: name }),
    retry: quick,
    ...more,
  })

const two = defineSaga('two', options, reserve('a'), reserve('b'))

/** Lets the first faults of a phase and step happen, one each call. */
function faults(
  list: Readonly<Record<string, readonly Fault[]>>,
): (call: { saga: { phase: string; step: string } }) => Fault | undefined {
  const left = new Map(Object.entries(list).map(([name, items]) => [name, [...items]]))
  return ({ saga }) => left.get(`${saga.phase} ${saga.step}`)?.shift()
}

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
  const saga = defineSaga('failover', options, reserve('a', { to: agents }))

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
        { kind: 'lost-request' },
        { kind: 'unsent', code: 'breaker.open' },
        { kind: 'unsent', code: 'breaker.open' },
      ],
    })
    const run = await lab.orchestrator([saga]).start(saga, input, { id: 't' })
    await run.result()
    expect(new Set(lab.mesh.calls.map((call) => call.split(' ')[2]))).toEqual(new Set(['acme/first']))
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

describe('the way back', () => {
  const tree = defineSaga(
    'tree',
    options,
    reserve('first'),
    parallel('group', [sequence(reserve('l1'), reserve('l2')), sequence(reserve('r1'), reserve('r2'))]),
    reserve('after'),
    reserve('last'),
  )

  it('undoes what follows a group before it, branches last step first, and what came before at the end', async () => {
    const lab = createTripLab()
    lab.agents.declines.add('last')
    const run = await lab.orchestrator([tree]).start(tree, input, { id: 't' })
    await run.settled()
    const undone = lab.agents
      .world()
      .log.filter((line) => line.startsWith('undo'))
      .map((line) => line.slice(line.lastIndexOf('/') + 1))
    expect(undone[0]).toBe('after')
    expect(undone.slice(1, 3).toSorted()).toEqual(['l2', 'r2'])
    expect(undone.slice(3, 5).toSorted()).toEqual(['l1', 'r1'])
    expect(undone[5]).toBe('first')
    expect(undone).toHaveLength(6)
  })

  it('waits for siblings in flight, undoes them, and begins nothing new', async () => {
    const lab = createTripLab()
    lab.agents.declines.add('l1')
    const r1 = Promise.withResolvers<undefined>()
    const node = lab.mesh.createNode({
      name: 'acme/travel',
      store: lab.store,
      clock: lab.clock,
      around: async (call, deliver) => {
        if (call.saga.step === 'r1' && call.saga.phase === 'do') await r1.promise
        return deliver()
      },
    })
    const run = await createSagas(node, { definitions: [tree] }).start(tree, input, { id: 't' })
    for await (const { event } of run.events()) if (event.type === 'turned') break
    expect(run.state()).toMatchObject({
      status: 'undoing',
      steps: { r1: { status: 'executing' }, first: { status: 'committed' } },
    })
    expect(lab.mesh.calls.some((call) => call.startsWith('undo'))).toBe(false)
    r1.resolve(undefined)
    expect((await run.settled()).steps).toMatchObject({
      l1: { status: 'declined' },
      l2: { status: 'skipped' },
      r1: { status: 'undone' },
      r2: { status: 'skipped' },
      after: { status: 'skipped' },
    })
    expect(lab.agents.world().effects.size).toBe(0)
  })

  it('T8: retries an undo that breaks until it works', async () => {
    const lab = createTripLab()
    lab.agents.declines.add('b')
    lab.agents.undoThrows.set(key('a'), 5)
    const run = await lab.orchestrator([two]).start(two, input, { id: 't' })
    expect((await run.settled()).status).toBe('compensated')
    expect(lab.mesh.calls.filter((call) => call === 'undo a acme/trips')).toHaveLength(6)
  })

  it('T7: is stuck, and never called compensated, when an undo is refused for good', async () => {
    const lab = createTripLab()
    lab.agents.declines.add('last')
    lab.mesh.fault = faults({ 'undo l2': [{ kind: 'refused', code: 'policy.denied' }] })
    const run = await lab.orchestrator([tree]).start(tree, input, { id: 't' })
    await expect(run.result()).rejects.toMatchObject({
      code: 'saga.stuck',
      details: { steps: [{ step: 'l2', code: 'policy.denied' }] },
    })
    expect(run.state().steps).toMatchObject({
      after: { status: 'undone' },
      l1: { status: 'committed' },
      l2: { status: 'stuck' },
      r1: { status: 'undone' },
      first: { status: 'committed' },
    })
  })

  it('is stuck rather than believed once its participants may have forgotten', async () => {
    const lab = createTripLab()
    const brief = defineSaga('brief', { ...options, expiresAfterMs: 1_000 }, reserve('a'), reserve('b'))
    lab.mesh.fault = ({ saga }) => (saga.step === 'b' ? { kind: 'unsent', code: 'transport.disconnected' } : undefined)
    const run = await lab.orchestrator([brief]).start(brief, input, { id: 't' })
    await expect(run.result()).rejects.toMatchObject({
      details: { steps: [{ step: 'a', code: 'saga.command-expired' }] },
    })
    expect(lab.mesh.calls).not.toContain('undo a acme/trips')
  })
})

describe('a pivot', () => {
  const paid = defineSaga(
    'paid',
    options,
    reserve('a'),
    pivot('pay', { do: trips.charge, input: () => ({ amount: 7 }), retry: quick }),
    step('mail', {
      do: trips.mail,
      input: ({ results }) => ({ text: String(results.pay.receipt) }),
      retriable: true,
      retry: quick,
    }),
  )

  it('that failed for good leads back', async () => {
    const lab = createTripLab()
    lab.agents.throws.set('charge', 9)
    const run = await lab.orchestrator([paid]).start(paid, input, { id: 't' })
    expect(await run.settled()).toMatchObject({
      status: 'compensated',
      steps: { a: { status: 'undone' }, pay: { status: 'failed' } },
    })
  })

  it('that committed leaves no way back: what follows is retried, then stuck', async () => {
    const lab = createTripLab()
    lab.mesh.fault = ({ saga }) => (saga.step === 'mail' ? { kind: 'refused', code: 'policy.denied' } : undefined)
    const run = await lab.orchestrator([paid]).start(paid, input, { id: 't' })
    expect(await run.settled()).toMatchObject({
      status: 'stuck',
      steps: { a: { status: 'committed' }, pay: { status: 'committed' } },
    })
    expect(lab.mesh.calls.filter((call) => call.startsWith('do mail'))).toHaveLength(3)
    expect(lab.mesh.calls.some((call) => call.startsWith('undo'))).toBe(false)
  })

  it('that is unknown and cannot be looked up is stuck, with nothing undone and nothing sent again', async () => {
    const lab = createTripLab()
    lab.mesh.fault = faults({
      'do pay': [{ kind: 'lost-reply' }],
      'lookup pay': [{ kind: 'refused', code: 'saga.command-invalid' }],
    })
    const run = await lab.orchestrator([paid]).start(paid, input, { id: 't' })
    expect(await run.settled()).toMatchObject({
      status: 'stuck',
      steps: { a: { status: 'committed' }, pay: { status: 'stuck' } },
    })
    expect(lab.mesh.calls.filter((call) => call.startsWith('do pay'))).toHaveLength(1)
  })

  it('that was sent refuses a cancel', async () => {
    const lab = createTripLab()
    const gate = Promise.withResolvers<undefined>()
    const node = lab.mesh.createNode({
      name: 'acme/travel',
      store: lab.store,
      clock: lab.clock,
      around: async (call, deliver) => {
        if (call.saga.step === 'pay') await gate.promise
        return deliver()
      },
    })
    const run = await createSagas(node, { definitions: [paid] }).start(paid, input, { id: 't' })
    for await (const { event } of run.events()) if (event.type === 'intended' && event.step === 'pay') break
    expect(await run.cancel('changed my mind')).toMatchObject({ kind: 'deny', code: 'saga.cancel-refused' })
    gate.resolve(undefined)
    expect((await run.settled()).status).toBe('completed')
    expect(await run.cancel('too late')).toMatchObject({ code: 'saga.cancel-refused' })
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
    const saga = defineSaga('mapped', options, reserve('a'), step('b', { do: trips.reserve, input: map }))
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
