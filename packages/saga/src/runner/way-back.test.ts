import { describe, expect, it } from 'vitest'
import { defineSaga } from '../definition/define-saga.ts'
import { parallel } from '../definition/parallel.ts'
import { sequence } from '../definition/sequence.ts'
import { pivot, step } from '../definition/step.ts'
import { trips } from '../testing/trip-contract.fixture.ts'
import { faults, quick, reserve, tripOptions } from '../testing/reserve-step.fixture.ts'
import { createTripLab } from '../testing/trip-lab.fixture.ts'
import { createSagas } from './create-sagas.ts'

const input = { from: 'SFO', to: 'LIS' }
const key = (name: string): string => `acme/travel/t/${name}`

const two = defineSaga('two', tripOptions, reserve('a'), reserve('b'))

describe('the way back', () => {
  const tree = defineSaga(
    'tree',
    tripOptions,
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

  it('waits for siblings in flight, then undoes them, and begins nothing new', async () => {
    const lab = createTripLab()
    lab.agents.declines.add('l2')
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
    expect(run.state()).toMatchObject({ status: 'undoing', steps: { r1: { status: 'executing' } } })
    expect(lab.mesh.calls.some((call) => call.startsWith('undo'))).toBe(false)
    r1.resolve(undefined)
    expect((await run.settled()).steps).toMatchObject({
      first: { status: 'undone' },
      l1: { status: 'undone' },
      l2: { status: 'declined' },
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
    const brief = defineSaga('brief', { ...tripOptions, expiresAfterMs: 1_000 }, reserve('a'), reserve('b'))
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
    tripOptions,
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
