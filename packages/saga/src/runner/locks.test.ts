import { describe, expect, it } from 'vitest'
import { defineSaga } from '../definition/define-saga.ts'
import { step } from '../definition/step.ts'
import { wait, signal } from '../definition/wait.ts'
import { anySchema, trips, type Trip } from '../testing/trip-contract.fixture.ts'
import { createTripLab, type TripLab } from '../testing/trip-lab.fixture.ts'
import type { SagaRun } from './saga-run.ts'

const input = { from: 'SFO', to: 'LIS' }
const options = { version: 1, input: anySchema<Trip>() }
const patient = { attempts: 40, minDelayMs: 50, maxDelayMs: 500 }

const seat = <const Name extends string>(name: Name, retry: { readonly attempts: number } = patient) =>
  step(name, {
    do: trips.reserve,
    input: ({ saga }: { saga: Trip; results: unknown }) => ({ what: `seat-${saga.to}` }),
    lock: true,
    retry: { ...patient, ...retry },
  })

/** Holds the seat until somebody says go, and is then through, or not. */
const holding = defineSaga('holding', options, seat('held'), wait('go', signal(anySchema<boolean>())), seat('again'))
const wanting = defineSaga('wanting', options, seat('wanted'))

const locksOf = (lab: TripLab): number => lab.agents.world().locks.size

/** Starts a saga that has the seat and waits. */
async function hold(lab: TripLab): Promise<SagaRun<unknown>> {
  const run = await lab.orchestrator([holding]).start(holding, input, { id: 'holder' })
  for await (const { event } of run.events()) if (event.type === 'wait-opened') break
  return run
}

describe('a step with a lock', () => {
  it('T12: waits by its retry plan for the saga that has the target, and gets it when that one is over', async () => {
    const lab = createTripLab()
    const holder = await hold(lab)
    const wanted = await lab.orchestrator([wanting], 'did:key:zTwo').start(wanting, input, { id: 'wanter' })
    for await (const { event } of wanted.events()) if (event.type === 'refused') break
    expect(wanted.state().steps).toMatchObject({ wanted: { code: 'saga.locked' } })
    expect(lab.agents.world().effects.size).toBe(1)
    await holder.signal('go', true)
    await holder.result()
    await wanted.result()
    expect(lab.journal('holder').filter(({ type }) => type === 'closed')).toEqual([
      { type: 'closed', step: 'held' },
      { type: 'closed', step: 'again' },
    ])
    // Both of the holder's steps came before the other's one.
    expect(lab.agents.world().log.at(-1)).toBe('do acme/travel/wanter/wanted')
    expect(locksOf(lab)).toBe(0)
  })

  it('gives the target back with its undo, in one transaction', async () => {
    const lab = createTripLab()
    const holder = await hold(lab)
    await holder.cancel('nobody flies')
    await holder.settled()
    expect(locksOf(lab)).toBe(0)
    expect(lab.journal('holder').some(({ type }) => type === 'closed')).toBe(false)
    const wanted = await lab.orchestrator([wanting], 'did:key:zTwo').start(wanting, input, { id: 'wanter' })
    await wanted.result()
  })

  it('goes back when its attempts are spent, which also ends two sagas that wait for each other', async () => {
    const lab = createTripLab()
    await hold(lab)
    const hasty = defineSaga('hasty', options, seat('wanted', { attempts: 2 }))
    const run = await lab.orchestrator([hasty], 'did:key:zTwo').start(hasty, input, { id: 'hasty' })
    await expect(run.result()).rejects.toMatchObject({ details: { code: 'saga.locked' } })
    expect(lab.mesh.calls.filter((call) => call.startsWith('do wanted'))).toHaveLength(2)
  })

  it('is closed by whoever takes the saga over from a holder that died at its end', async () => {
    const lab = createTripLab()
    lab.mesh.fault = ({ saga }) => (saga.phase === 'close' ? { kind: 'lost-request' } : undefined)
    const holder = await hold(lab)
    await holder.signal('go', true)
    for await (const { event } of holder.events()) if (event.type === 'deferred') break
    expect(locksOf(lab)).toBe(2)
    await lab.closeAll()
    lab.mesh.fault = () => undefined
    const next = lab.orchestrator([holding], 'did:key:zNext')
    await next.resume()
    const adopted = await next.attach('holder')
    expect((await adopted?.settled())?.status).toBe('completed')
    expect(locksOf(lab)).toBe(0)
  })

  it('ends without a participant that cannot be told, whose locks lapse by themselves', async () => {
    const lab = createTripLab()
    lab.mesh.fault = ({ saga }) => (saga.phase === 'close' ? { kind: 'lost-request' } : undefined)
    const run = await lab.orchestrator([wanting]).start(wanting, input, { id: 'lone' })
    await run.result()
    expect(lab.journal('lone').filter(({ type }) => type === 'closed')).toEqual([
      { type: 'closed', step: 'wanted', code: 'deadline.exceeded' },
    ])
    expect(lab.mesh.calls.filter((call) => call.startsWith('close'))).toHaveLength(6)
    expect(locksOf(lab)).toBe(1)
  })

  it('does, tells and undoes nothing more for a saga that said that it is over', async () => {
    const lab = createTripLab()
    const run = await lab.orchestrator([wanting]).start(wanting, input, { id: 'done' })
    await run.result()
    const node = lab.mesh.createNode({ name: 'acme/travel', store: lab.store, clock: lab.clock })
    for (const phase of ['do', 'undo', 'lookup'] as const) {
      const saga = { id: 'done', step: 'wanted', attempt: 1, epoch: 1, key: 'acme/travel/done/wanted', phase }
      const late = { ...saga, expiresAtMs: lab.clock.now() + 1_000_000_000 }
      expect(await node.tryCall(trips.reserve, { what: 'seat-LIS' }, { to: 'acme/trips', saga: late })).toMatchObject({
        kind: 'refused',
        code: 'saga.command-closed',
      })
    }
    expect(lab.agents.world().effects.size).toBe(1)
  })
})

describe('a step that asks again when declined', () => {
  const asking = (attempts: number) =>
    defineSaga(
      'asking',
      options,
      step('a', {
        do: trips.reserve,
        input: () => ({ what: 'a' }),
        retry: { ...patient, attempts, declined: ['full'] },
      }),
    )
  const isNextTry = (count: number) => (event: { readonly type: string; readonly attempt?: number }) =>
    event.type === 'intended' && event.attempt === count

  it('does so under a key of its own, since what was declined stays declined', async () => {
    const lab = createTripLab()
    lab.agents.declines.add('a')
    const saga = asking(3)
    const run = await lab.orchestrator([saga]).start(saga, input, { id: 't' })
    for await (const { event } of run.events()) if (event.type === 'declined') break
    lab.agents.declines.delete('a')
    await run.result()
    const keys = lab.journal('t').flatMap((event) => (event.type === 'intended' ? [event.key] : []))
    expect(keys).toEqual(['acme/travel/t/a', 'acme/travel/t/a/2'])
    expect([...lab.agents.world().effects.keys()]).toEqual(['acme/travel/t/a/2'])
    expect(lab.journal('t').findIndex(isNextTry(2))).toBeGreaterThan(0)
  })

  it('takes the declined for an answer once its attempts are spent', async () => {
    const lab = createTripLab()
    lab.agents.declines.add('a')
    const saga = asking(2)
    const run = await lab.orchestrator([saga]).start(saga, input, { id: 't' })
    await expect(run.result()).rejects.toMatchObject({ code: 'saga.compensated', details: { code: 'full' } })
    expect(lab.mesh.calls).toEqual(['do a acme/trips', 'do a acme/trips'])
  })

  it('T48: looks up what a lost attempt became before it asks under another key', async () => {
    const lab = createTripLab()
    lab.agents.declines.add('a')
    let lost = false
    lab.mesh.fault = ({ saga }) => {
      if (saga.phase !== 'do' || lost) return undefined
      lost = true
      return { kind: 'lost-reply' }
    }
    const saga = asking(2)
    const run = await lab.orchestrator([saga]).start(saga, input, { id: 't' })
    await run.settled()
    expect(lab.mesh.calls).toEqual(['do a acme/trips', 'lookup a acme/trips', 'do a acme/trips'])
    expect(lab.agents.world().effects.size).toBe(0)
  })

  it('is refused at definition for an error that the contract does not declare', () => {
    const wrong: string[] = ['gone']
    expect(() =>
      defineSaga(
        'wrong',
        options,
        step('a', { do: trips.reserve, input: () => ({ what: 'a' }), retry: { declined: wrong as never[] } }),
      ),
    ).toThrow(expect.objectContaining({ code: 'saga.definition-invalid' }))
  })
})
