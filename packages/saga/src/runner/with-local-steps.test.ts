import { defineContract, type Serves } from '@parley/mesh'
import { describe, expect, it, onTestFinished } from 'vitest'
import { defineSaga } from '../definition/define-saga.ts'
import { step } from '../definition/step.ts'
import { anySchema, trips, type Trip } from '../testing/trip-contract.fixture.ts'
import { createTripLab, type TripLab } from '../testing/trip-lab.fixture.ts'
import { createSagas } from './create-sagas.ts'
import type { Sagas } from './sagas.ts'
import { withLocalSteps } from './with-local-steps.ts'

const notes = defineContract('notes', {
  write: {
    input: anySchema<{ readonly text: string }>(),
    output: anySchema<{ readonly note: number }>(),
    risk: 'reversible',
    undo: true,
  },
})
const input = { from: 'SFO', to: 'LIS' }
const noted = defineSaga(
  'noted',
  { version: 1, input: anySchema<Trip>() },
  step('note', { do: notes.write, input: ({ saga }) => ({ text: saga.to }) }),
  step('seat', { do: trips.reserve, to: ['acme/trips'], input: ({ results }) => ({ what: `n${results.note.note}` }) }),
)
const unasked = (): never => {
  throw new TypeError('a saga only uses tryCall')
}

function openDesk(lab: TripLab, instance: string, serves: Serves<typeof notes>): Sagas {
  const node = lab.mesh.createNode({ name: 'acme/travel', store: lab.store, clock: lab.clock, instance })
  const here = withLocalSteps({ ...node, call: unasked, stream: unasked, emit: unasked }, notes, serves)
  const sagas = createSagas(here, { definitions: [noted] })
  onTestFinished(() => sagas.close())
  return sagas
}

describe('withLocalSteps', () => {
  it('runs what the agent serves itself in the process, and asks others as before', async () => {
    const lab = createTripLab()
    const texts: string[] = []
    const sagas = openDesk(lab, 'did:key:zOne', { write: ({ text }) => ({ note: texts.push(text) }) })
    const run = await sagas.start(noted, input, { id: 't' })
    expect(await run.result()).toEqual({ note: { note: 1 }, seat: { ref: 'ref-n1' } })
    expect(texts).toEqual(['LIS'])
    expect(lab.mesh.calls).toEqual(['do seat acme/trips'])
    expect(lab.journal('t').map(({ type }) => type)).toEqual([
      'started',
      'owned',
      'intended',
      'committed',
      'intended',
      'committed',
      'completed',
    ])
    expect(run.state().steps['note']).toMatchObject({ provider: 'acme/travel', status: 'committed' })
  })

  it('undoes a local step when a later one is declined', async () => {
    const lab = createTripLab()
    lab.agents.declines.add('n1')
    const undone: unknown[] = []
    const sagas = openDesk(lab, 'did:key:zOne', {
      write: {
        do: () => ({ note: 1 }),
        undo: ({ output }) => {
          undone.push(output)
        },
      },
    })
    const run = await sagas.start(noted, input, { id: 't' })
    await expect(run.result()).rejects.toMatchObject({ code: 'saga.compensated' })
    expect(undone).toEqual([{ note: 1 }])
  })

  it('asks the next instance what became of a local step that the last one died in', async () => {
    const lab = createTripLab()
    const begun = Promise.withResolvers<undefined>()
    const first = openDesk(lab, 'did:key:zOne', {
      write: () => {
        begun.resolve(undefined)
        return new Promise(() => undefined)
      },
    })
    await first.start(noted, input, { id: 't' })
    await begun.promise
    await first.close()
    const second = openDesk(lab, 'did:key:zTwo', {
      write: { do: unasked, lookup: () => ({ found: 'ok', output: { note: 3 } }) },
    })
    await second.resume()
    const run = await second.attach('t')
    expect(await run.result()).toEqual({ note: { note: 3 }, seat: { ref: 'ref-n3' } })
  })
})
