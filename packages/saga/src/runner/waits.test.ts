import { createManualClock } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { defineSaga, type SagaDefinition } from '../definition/define-saga.ts'
import { pivot, step } from '../definition/step.ts'
import { pause, signal, until, wait, type WaitFor } from '../definition/wait.ts'
import { parallel } from '../definition/parallel.ts'
import type { Fault } from '../testing/fake-mesh.fixture.ts'
import { anySchema, trips, type Trip } from '../testing/trip-contract.fixture.ts'
import { createTripLab, type TripLab } from '../testing/trip-lab.fixture.ts'
import type { SagaRun } from './saga-run.ts'

const input = { from: 'SFO', to: 'LIS' }
const options = { version: 1, input: anySchema<Trip>() }

const around = (what: WaitFor<unknown, unknown, unknown>): SagaDefinition<Trip> =>
  defineSaga(
    'waits',
    options,
    step('flight', { do: trips.reserve, input: ({ saga }) => ({ what: saga.to }) }),
    wait('go', what),
    step('hotel', { do: trips.reserve, input: () => ({ what: 'hotel' }) }),
  )

interface Waiting {
  readonly lab: TripLab
  readonly clock: ReturnType<typeof createManualClock>
  readonly run: SagaRun
}

/** Starts a saga and lets it come to where it waits. */
async function arrive(
  definition: SagaDefinition<Trip>,
  prepare: (lab: TripLab) => void = () => undefined,
): Promise<Waiting> {
  const clock = createManualClock()
  const lab = createTripLab(clock)
  prepare(lab)
  const run = await lab.orchestrator([definition]).start(definition, input, { id: 't' })
  await clock.settle()
  return { lab, clock, run }
}

describe('a wait for a signal', () => {
  const paid = signal(anySchema<{ readonly by: string }>())
  const definition = defineSaga(
    'paid',
    options,
    step('flight', { do: trips.reserve, input: ({ saga }) => ({ what: saga.to }) }),
    wait('paid', paid),
    step('hotel', { do: trips.reserve, input: ({ results }) => ({ what: results.paid.by }) }),
  )

  it('says what it waits for, and goes on with what was signalled', async () => {
    const { clock, run } = await arrive(definition)
    expect(run.state()).toMatchObject({ status: 'waiting', waiting: { for: 'signal', step: 'paid' } })
    await clock.advance(3_600_000)
    expect(run.state().status).toBe('waiting')
    expect(await run.signal('paid', { by: 'ada' })).toEqual({ kind: 'allow' })
    expect(await run.result()).toMatchObject({ hotel: { ref: 'ref-ada' } })
  })

  it('keeps what came early, and of two the first', async () => {
    const clock = createManualClock()
    const lab = createTripLab(clock)
    const run = await lab.orchestrator([definition]).start(definition, input, { id: 't' })
    expect(await run.signal('paid', { by: 'first' })).toEqual({ kind: 'allow' })
    expect(await run.signal('paid', { by: 'second' })).toEqual({ kind: 'allow' })
    expect(await run.result()).toMatchObject({ hotel: { ref: 'ref-first' } })
    expect(lab.journal('t').filter((event) => event.type === 'signalled')).toHaveLength(1)
  })

  it('is signalled from another instance, which does not take the saga', async () => {
    const { lab, clock, run } = await arrive(definition)
    const other = await lab.orchestrator([definition], 'did:key:zTwo').attach('t')
    expect(await other.signal('paid', { by: 'afar' })).toEqual({ kind: 'allow' })
    await clock.advance(2_000)
    expect(await run.settled()).toMatchObject({ status: 'completed', epoch: 1 })
  })

  it('refuses a signal that no wait takes, that does not fit, or that comes too late', async () => {
    const strict = { ...anySchema<string>(), '~standard': { ...anySchema<string>()['~standard'] } }
    strict['~standard'].validate = (value) =>
      typeof value === 'string' ? { value } : { issues: [{ message: 'is no text' }] }
    const { lab, run } = await arrive(around(signal(strict)))
    expect(await run.signal('flight', 'x')).toMatchObject({ code: 'saga.signal-refused' })
    expect(await run.signal('go', 7)).toMatchObject({ code: 'contract.input-invalid' })
    const blind = await lab.orchestrator([], 'did:key:zTwo').attach('t')
    expect(await blind.signal('go', 'x')).toMatchObject({ code: 'saga.version-unknown' })
    expect(await run.signal('go', 'x')).toEqual({ kind: 'allow' })
    await run.settled()
    expect(await run.signal('go', 'x')).toMatchObject({ code: 'saga.signal-refused' })
  })

  it('leads back when nothing came in time', async () => {
    const { lab, clock, run } = await arrive(around(signal(anySchema<string>(), { withinMs: 60_000 })))
    expect(run.state().waiting).toMatchObject({ for: 'signal', untilMs: clock.now() + 60_000, next: 'undo' })
    await clock.advance(59_000)
    expect(run.state().status).toBe('waiting')
    await clock.advance(2_000)
    expect(await run.settled()).toMatchObject({
      status: 'compensated',
      turned: { code: 'saga.wait-lapsed', step: 'go' },
    })
    expect(lab.agents.world().effects.size).toBe(0)
  })

  it('goes on without, where the definition says so', async () => {
    const { clock, run } = await arrive(around(signal(anySchema<string>(), { withinMs: 60_000, onLapse: 'continue' })))
    await clock.advance(61_000)
    expect((await run.settled()).status).toBe('completed')
    expect(await run.signal('go', 'late')).toMatchObject({ code: 'saga.signal-refused' })
  })

  it('in a branch holds only its branch', async () => {
    const branches = defineSaga(
      'branches',
      options,
      parallel('both', [
        wait('go', signal(anySchema<string>())),
        step('flight', { do: trips.reserve, input: () => ({ what: 'flight' }) }),
      ]),
      step('hotel', { do: trips.reserve, input: ({ results }) => ({ what: results.go }) }),
    )
    const { run } = await arrive(branches)
    expect(run.state()).toMatchObject({ status: 'waiting', steps: { flight: { status: 'committed' } } })
    await run.signal('go', 'now')
    expect(await run.result()).toMatchObject({ hotel: { ref: 'ref-now' } })
  })

  it('is cancelled like anything else', async () => {
    const { lab, run } = await arrive(definition)
    expect(await run.cancel('no')).toEqual({ kind: 'allow', stopped: {} })
    expect((await run.settled()).status).toBe('compensated')
    expect(lab.agents.world().effects.size).toBe(0)
  })

  it('gives its place to others', async () => {
    const clock = createManualClock()
    const lab = createTripLab(clock)
    const sagas = lab.orchestrator([definition], 'did:key:zOne', { concurrency: 1 })
    const runs: SagaRun[] = []
    for (const id of ['a', 'b', 'c']) {
      runs.push(await sagas.start(definition, input, { id }))
      await clock.settle()
    }
    expect(runs.map((run) => run.state().status)).toEqual(['waiting', 'waiting', 'waiting'])
    for (const run of runs) await run.signal('paid', { by: run.id })
    for (const run of runs) expect((await run.settled()).status).toBe('completed')
  })
})

describe('a wait for a time', () => {
  it('goes on after it, and not before', async () => {
    const { clock, run } = await arrive(around(pause(60_000)))
    expect(run.state().waiting).toMatchObject({ for: 'time', untilMs: clock.now() + 60_000, next: 'go-on' })
    await clock.advance(59_900)
    expect(run.state().status).toBe('waiting')
    await clock.advance(200)
    expect((await run.settled()).status).toBe('completed')
  })

  it('T16, T18: is absolute: an outage neither lengthens nor loses it', async () => {
    const definition = around(until(() => Date.UTC(2026, 0, 1, 1)))
    const clock = createManualClock(Date.UTC(2026, 0, 1))
    const lab = createTripLab(clock)
    const first = lab.orchestrator([definition])
    await first.start(definition, input, { id: 't' })
    await clock.settle()
    await first.close()
    await clock.advance(3_600_000 - 1_000)
    const next = lab.orchestrator([definition], 'did:key:zTwo')
    const resumed = next.resume()
    await clock.advance(500)
    await resumed
    const run = await next.attach('t')
    expect(run.state().status).toBe('waiting')
    await clock.advance(1_000)
    expect((await run.settled()).status).toBe('completed')
  })

  it.each([
    ['continue', 0, 'completed'],
    ['wait-again', 61_000, 'completed'],
    ['undo', 0, 'compensated'],
  ] as const)('T16: that nobody was there for may %s', async (ifLate, extraMs, status) => {
    const definition = around(pause(60_000, { ifLate }))
    const { lab, clock } = await arrive(definition)
    await lab.closeAll()
    await clock.advance(600_000)
    const next = lab.orchestrator([definition], 'did:key:zTwo')
    const resumed = next.resume()
    await clock.advance(100)
    await resumed
    const run = await next.attach('t')
    expect(run.state().status).toBe(extraMs > 0 ? 'waiting' : status)
    await clock.advance(extraMs)
    expect((await run.settled()).status).toBe(status)
  })
})

describe('defineSaga', () => {
  it('refuses a wait after the pivot that could lead back', () => {
    const after =
      (what: WaitFor<unknown, unknown, unknown>): (() => unknown) =>
      () =>
        defineSaga('x', options, pivot('charge', { do: trips.charge, input: () => ({ amount: 1 }) }), wait('go', what))
    const invalid = expect.objectContaining({ code: 'saga.definition-invalid' })
    expect(after(signal(anySchema<string>(), { withinMs: 1 }))).toThrow(invalid)
    expect(after(pause(1, { ifLate: 'undo' }))).toThrow(invalid)
    expect(after(signal(anySchema<string>()))).not.toThrow()
    expect(() => pause(0) && wait('go', pause(0))).toThrow(invalid)
  })
})

describe('a step that is refused for want of what somebody can give', () => {
  const book = defineSaga(
    'book',
    options,
    step('flight', { do: trips.reserve, input: ({ saga }) => ({ what: saga.to }) }),
    step('hotel', { do: trips.reserve, input: () => ({ what: 'hotel' }) }),
  )

  it.each([
    ['policy.approval-required', 'approval'],
    ['policy.approval-used', 'approval'],
    ['delegation.allowance-spent', 'allowance'],
    ['delegation.expired', 'authority'],
    ['identity.quarantined', 'authority'],
  ] as const)('%s waits for %s, and goes on once it is there', async (code, what) => {
    let fault: Fault | undefined = { kind: 'refused', code }
    const { lab, clock, run } = await arrive(book, (prepared) => {
      prepared.mesh.fault = ({ saga }) => (saga.step === 'hotel' ? fault : undefined)
    })
    await clock.advance(3_600_000)
    expect(run.state()).toMatchObject({
      status: 'waiting',
      waiting: { for: what, step: 'hotel', code, next: 'try-again' },
    })
    fault = undefined
    await clock.advance(60_000)
    expect((await run.settled()).status).toBe('completed')
    expect(lab.agents.world().log).toHaveLength(2)
  })

  it('a refusal for good ends the wait', async () => {
    let code: 'policy.approval-required' | 'policy.approval-denied' = 'policy.approval-required'
    const { clock, run } = await arrive(book, (lab) => {
      lab.mesh.fault = ({ saga }) => (saga.step === 'hotel' ? { kind: 'refused', code } : undefined)
    })
    await clock.advance(60_000)
    code = 'policy.approval-denied'
    await clock.advance(60_000)
    expect(await run.settled()).toMatchObject({ status: 'compensated', turned: { code: 'policy.approval-denied' } })
  })

  it('another chain is tried at once, and sent with what follows', async () => {
    const chains: unknown[] = []
    const { run } = await arrive(book, (lab) => {
      lab.mesh.fault = (call) => {
        chains.push(call.delegation)
        return call.delegation ? undefined : { kind: 'refused', code: 'delegation.expired' }
      }
    })
    expect(run.state().waiting).toMatchObject({ for: 'authority' })
    expect(await run.authorise(['new-chain'])).toEqual({ kind: 'allow' })
    expect((await run.settled()).status).toBe('completed')
    expect(chains).toEqual([undefined, ['new-chain'], ['new-chain']])
    expect(await run.authorise(['x'])).toMatchObject({ code: 'saga.signal-refused' })
  })
})
