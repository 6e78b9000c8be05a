import { createManualClock } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { defineSaga } from '../definition/define-saga.ts'
import { pivot, step } from '../definition/step.ts'
import type { Fault } from '../testing/fake-mesh.fixture.ts'
import { anySchema, trips, type Trip } from '../testing/trip-contract.fixture.ts'
import { createTripLab, type TripLab } from '../testing/trip-lab.fixture.ts'
import { createSagas } from './create-sagas.ts'
import type { Sagas } from './sagas.ts'
import { readOrder, type VerifyHuman } from './verify-human.ts'

const input = { from: 'SFO', to: 'LIS' }
const book = defineSaga(
  'book',
  { version: 1, input: anySchema<Trip>() },
  step('flight', { do: trips.reserve, input: ({ saga }) => ({ what: saga.to }) }),
  step('hotel', { do: trips.reserve, input: () => ({ what: 'hotel' }) }),
  pivot('charge', { do: trips.charge, input: () => ({ amount: 1 }) }),
  step('mail', { do: trips.mail, retriable: true, input: ({ results }) => ({ text: String(results.charge.receipt) }) }),
)

/** Takes JSON for a declaration: that signatures are verified is for the tests over real credentials. */
const believe: VerifyHuman = (token) => readOrder(token, JSON.parse(token) as Record<string, unknown>, 'acme/ada')

interface Stuck {
  readonly lab: TripLab
  readonly clock: ReturnType<typeof createManualClock>
  readonly sagas: Sagas
  fault: (step: string, phase: string) => Fault | undefined
}

/** Brings a saga to where only a human can help. */
async function stick(fault: Stuck['fault'], declines?: string): Promise<Stuck> {
  const clock = createManualClock()
  const lab = createTripLab(clock)
  if (declines !== undefined) lab.agents.declines.add(declines)
  const sagas = lab.orchestrator([book], 'did:key:zOne', { verifyHuman: believe })
  const stuck: Stuck = { lab, clock, sagas, fault }
  lab.mesh.fault = ({ saga }) => stuck.fault(saga.step, saga.phase)
  await sagas.start(book, input, { id: 't' })
  await clock.advance(60_000)
  expect((await sagas.attach('t')).state().status).toBe('stuck')
  return stuck
}

const declare = (content: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ agent: 'acme/travel', saga: 't', reason: 'looked at the books', ...content })

const noUndo: Stuck['fault'] = (name, phase) =>
  name === 'flight' && phase === 'undo' ? { kind: 'refused', code: 'policy.denied' } : undefined

const noCharge: Stuck['fault'] = (name, phase) => {
  if (name !== 'charge') return undefined
  return phase === 'do' ? { kind: 'lost-request' } : { kind: 'refused', code: 'saga.command-invalid' }
}

describe('a saga that is stuck on its way back', () => {
  it('tells which step, and why', async () => {
    const { sagas } = await stick(noUndo, 'hotel')
    const run = await sagas.attach('t')
    expect(run.state().steps).toMatchObject({ flight: { status: 'stuck', code: 'policy.denied' } })
    await expect(run.result()).rejects.toMatchObject({
      code: 'saga.stuck',
      details: { steps: [{ step: 'flight', code: 'policy.denied' }] },
    })
  })

  it('retries when a human says so, and ends compensated once the undo is proven', async () => {
    const stuck = await stick(noUndo, 'hotel')
    stuck.fault = () => undefined
    expect(await stuck.sagas.decide(declare({ decision: 'retry', about: 'flight' }))).toEqual({ kind: 'allow' })
    await stuck.clock.advance(10_000)
    expect((await stuck.sagas.attach('t')).state()).toMatchObject({ status: 'compensated', epoch: 2 })
    expect(stuck.lab.agents.world().effects.size).toBe(0)
    expect(stuck.lab.journal('t').find((event) => event.type === 'decided')).toMatchObject({
      by: 'acme/ada',
      reason: 'looked at the books',
    })
  })

  it('is stuck again where the retry does not help, and the same declaration says nothing a second time', async () => {
    const { sagas, clock } = await stick(noUndo, 'hotel')
    const decided = declare({ decision: 'retry', about: 'flight' })
    await sagas.decide(decided)
    await clock.advance(60_000)
    expect((await sagas.attach('t')).state()).toMatchObject({ status: 'stuck', steps: { flight: { status: 'stuck' } } })
    expect(await sagas.decide(decided)).toMatchObject({ code: 'saga.decision-refused' })
  })

  it('T7, T8: ends aborted, not compensated, where a human lets an effect stand', async () => {
    const { sagas, clock, lab } = await stick(noUndo, 'hotel')
    expect(await sagas.decide(declare({ decision: 'skip', about: 'flight' }))).toEqual({ kind: 'allow' })
    await clock.advance(10_000)
    const run = await sagas.attach('t')
    expect(run.state()).toMatchObject({ status: 'aborted', steps: { flight: { status: 'waived' } } })
    await expect(run.result()).rejects.toMatchObject({ code: 'saga.aborted' })
    expect(lab.agents.world().effects.size).toBe(1)
  })

  it('ends compensated where a human undid it by hand', async () => {
    const { sagas, clock } = await stick(noUndo, 'hotel')
    await sagas.decide(declare({ decision: 'resolve', about: 'flight', fact: 'undone' }))
    await clock.advance(10_000)
    expect((await sagas.attach('t')).state()).toMatchObject({ status: 'compensated' })
  })

  it('is aborted by a human, loudly', async () => {
    const { sagas, clock, lab } = await stick(noUndo, 'hotel')
    await sagas.decide(declare({ decision: 'abort' }))
    await clock.advance(10_000)
    expect((await sagas.attach('t')).state().status).toBe('aborted')
    expect(await sagas.decide(declare({ decision: 'retry', about: 'flight' }))).toMatchObject({
      code: 'saga.decision-refused',
    })
    expect(lab.journal('t').at(-1)?.type).toBe('decided')
  })
})

describe('a saga that is stuck at its pivot', () => {
  it('goes on as if it had answered, where a human says what it did', async () => {
    const stuck = await stick(noCharge)
    const decided = declare({ decision: 'resolve', about: 'charge', fact: 'committed', output: { receipt: 7 } })
    expect(await stuck.sagas.decide(decided)).toEqual({ kind: 'allow' })
    await stuck.clock.advance(10_000)
    expect(await (await stuck.sagas.attach('t')).result()).toMatchObject({ charge: { receipt: 7 }, mail: null })
  })

  it('sends it again under the same key, where a human says that it was not done', async () => {
    const stuck = await stick(noCharge)
    stuck.fault = () => undefined
    await stuck.sagas.decide(declare({ decision: 'resolve', about: 'charge', fact: 'not-done' }))
    await stuck.clock.advance(10_000)
    expect((await stuck.sagas.attach('t')).state().status).toBe('completed')
    expect(stuck.lab.agents.world().log.filter((line) => line.endsWith('/charge'))).toHaveLength(1)
  })
})

describe('sagas.decide', () => {
  it.each([
    [{ decision: 'skip', about: 'charge' }, 'on its way forward'],
    [{ decision: 'retry', about: 'mail' }, 'not stuck at "mail"'],
    [{ decision: 'retry', about: 'nothing' }, 'no step "nothing"'],
    [{ decision: 'resolve', about: 'charge' }, 'what became of'],
    [{ decision: 'cancel' }, 'has ended stuck'],
    [{ decision: 'praise' }, 'does not say'],
    [{ decision: 'abort', agent: 'acme/other' }, 'acme/other'],
  ])('refuses %j', async (content, problem) => {
    const { sagas, lab } = await stick(noCharge)
    const before = lab.journal('t').length
    expect(await sagas.decide(declare(content))).toMatchObject({
      code: 'saga.decision-refused',
      reason: expect.stringContaining(problem) as string,
    })
    expect(lab.journal('t')).toHaveLength(before)
  })

  it('refuses one of an unknown saga, and every one where nobody may decide', async () => {
    const lab = createTripLab(createManualClock())
    const none = lab.orchestrator([book])
    expect(await none.decide(declare({ decision: 'abort' }))).toMatchObject({
      code: 'saga.decision-refused',
      reason: expect.stringContaining('verifyHuman') as string,
    })
    const some = lab.orchestrator([book], 'did:key:zTwo', { verifyHuman: believe })
    expect(await some.decide(declare({ decision: 'abort' }))).toMatchObject({ code: 'saga.unknown' })
  })

  it('says of an undo that is tried again that it waits, to who would have it tried once more', async () => {
    const { lab, sagas } = await stick(noUndo, 'hotel')
    await sagas.close()
    const idle = lab.orchestrator([book], 'did:key:zTwo', { verifyHuman: believe })
    expect(await idle.decide(declare({ decision: 'retry', about: 'flight' }))).toEqual({ kind: 'allow' })
    const again = await idle.decide(declare({ decision: 'retry', about: 'flight', reason: 'hurry' }))
    expect(again).toMatchObject({
      code: 'saga.decision-refused',
      reason: expect.stringContaining('"flight", which waits for its undo') as string,
    })
  })

  it('refuses one about a saga that began under another owner than the node has now, whoever decided it', async () => {
    const { lab, sagas } = await stick(noUndo, 'hotel')
    await sagas.close()
    const { store, clock } = lab
    const node = lab.mesh.createNode({ name: 'acme/travel', owner: 'did:key:zOther', store, clock })
    await using later = createSagas(node, { definitions: [book], verifyHuman: believe })
    expect(await later.decide(declare({ decision: 'abort' }))).toMatchObject({ code: 'saga.owner-changed' })
    expect(lab.journal('t').filter((event) => event.type === 'decided')).toHaveLength(0)
  })

  it('cancels a running saga, and the same declaration says it only once', async () => {
    const clock = createManualClock()
    const lab = createTripLab(clock)
    const sagas = lab.orchestrator([book], 'did:key:zOne', { verifyHuman: believe })
    lab.mesh.fault = ({ saga }) =>
      saga.step === 'hotel' ? { kind: 'refused', code: 'identity.quarantined' } : undefined
    const run = await sagas.start(book, input, { id: 't' })
    await clock.settle()
    const [first, second] = [declare({ decision: 'cancel' }), declare({ decision: 'cancel' })]
    expect(await sagas.decide(first)).toEqual({ kind: 'allow' })
    const twice = await sagas.decide(declare({ decision: 'cancel', reason: 'once more' }))
    expect(twice).toMatchObject({ code: 'saga.decision-refused' })
    expect((await run.settled()).status).toBe('compensated')
    expect(await sagas.decide(second)).toMatchObject({ code: 'saga.decision-refused' })
    expect(lab.journal('t').filter((event) => event.type === 'decided')).toHaveLength(1)
  })
})
