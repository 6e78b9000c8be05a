import { expect, describe, it } from 'vitest'
import { defineSaga } from '../definition/define-saga.ts'
import { step } from '../definition/step.ts'
import { anySchema, trips, type Trip } from '../testing/trip-contract.fixture.ts'
import { createTripLab, type TripLab } from '../testing/trip-lab.fixture.ts'
import { createSagas } from './create-sagas.ts'
import type { Sagas } from './sagas.ts'
import { readOrder } from './verify-human.ts'

const input = { from: 'SFO', to: 'LIS' }
const one = defineSaga(
  'one',
  { version: 1, input: anySchema<Trip>() },
  step('flight', { do: trips.reserve, input: () => ({ what: 'flight' }) }),
)

/** An instance whose calls of one phase are answered when they are told to be. */
function gated(lab: TripLab, held: string): { readonly sagas: Sagas; readonly sent: Promise<void>; open(): void } {
  const gate = Promise.withResolvers<void>()
  const sent = Promise.withResolvers<void>()
  const node = lab.mesh.createNode({
    name: 'acme/travel',
    store: lab.store,
    clock: lab.clock,
    async around({ saga }, deliver) {
      if (saga.phase !== held) return deliver()
      sent.resolve()
      await gate.promise
      return deliver()
    },
  })
  const verifyHuman = (token: string) => readOrder(token, JSON.parse(token) as Record<string, unknown>, 'acme/ada')
  const sagas = createSagas(node, { definitions: [one], verifyHuman })
  return { sagas, sent: sent.promise, open: () => gate.resolve() }
}

describe('sagas.drain', () => {
  it('ends when a lookup was answered that no longer matters, since the saga was cancelled meanwhile', async () => {
    const lab = createTripLab()
    lab.mesh.fault = ({ saga }) => (saga.phase === 'do' ? { kind: 'lost-reply' } : undefined)
    const { sagas, sent, open } = gated(lab, 'lookup')
    const run = await sagas.start(one, input, { id: 't' })
    await sent
    await run.cancel('not needed')
    const drained = sagas.drain()
    open()
    await drained
    await sagas.close()
    expect(lab.mesh.calls).toEqual(['do flight acme/trips', 'lookup flight acme/trips'])
  })

  it('ends when a saga was given up by a human while its command was under way', async () => {
    const lab = createTripLab()
    const { sagas, sent, open } = gated(lab, 'do')
    const run = await sagas.start(one, input, { id: 't' })
    await sent
    const drained = sagas.drain()
    const abort = { agent: 'acme/travel', saga: 't', decision: 'abort', reason: 'the agent is on fire' }
    expect(await sagas.decide(JSON.stringify(abort))).toEqual({ kind: 'allow' })
    await drained
    expect(await run.settled()).toMatchObject({ status: 'aborted' })
    open()
    await sagas.close()
  })
})
