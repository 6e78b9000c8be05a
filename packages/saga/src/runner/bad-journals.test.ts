import { createManualClock } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { defineSaga } from '../definition/define-saga.ts'
import { step } from '../definition/step.ts'
import { signal, wait } from '../definition/wait.ts'
import { emptyHead } from '../journal/journal-format.ts'
import { createMemoryStore } from '../testing/memory-store.fixture.ts'
import { anySchema, trips, type Trip } from '../testing/trip-contract.fixture.ts'
import { createTripLab, type TripLab } from '../testing/trip-lab.fixture.ts'
import { createSagas } from './create-sagas.ts'

const input = { from: 'SFO', to: 'LIS' }
const asked = defineSaga(
  'asked',
  { version: 1, input: anySchema<Trip>() },
  step('flight', { do: trips.reserve, input: ({ saga }) => ({ what: saga.to }) }),
  wait('go', signal(anySchema<string>())),
  step('hotel', { do: trips.reserve, input: () => ({ what: 'hotel' }) }),
)

type Journal = readonly Uint8Array[]

const streamOf = (id: string): string => `saga/acme/travel/${id}`
const encode = (entry: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(entry))
const change = (at: number, from: RegExp | string, to: string) => (journal: Journal) =>
  journal.with(at, new TextEncoder().encode(new TextDecoder().decode(journal.at(at)).replace(from, to)))
const only =
  (event: unknown, v: unknown = 1) =>
  (): Journal => [encode({ v, n: 1, prev: emptyHead(streamOf('bad')).hash, at: 0, event })]

/** Two sagas that wait, one of whose journals is damaged; nobody drives them any more. */
async function leave(damage: (journal: Journal, other: Journal) => Journal): Promise<{
  readonly lab: TripLab
  readonly clock: ReturnType<typeof createManualClock>
  readonly damaged: Journal
}> {
  const clock = createManualClock()
  const lab = createTripLab(clock)
  const sagas = lab.orchestrator([asked])
  for (const id of ['bad', 'sound']) await sagas.start(asked, input, { id })
  await clock.settle()
  await lab.closeAll()
  const { streams } = lab.store
  const damaged = damage(streams.get(streamOf('bad')) ?? [], streams.get(streamOf('sound')) ?? [])
  streams.set(streamOf('bad'), [...damaged])
  return { lab, clock, damaged }
}

describe('a journal that cannot be believed', () => {
  it.each<[string, (journal: Journal, other: Journal) => Journal, string]>([
    ['has a gap', (journal) => journal.toSpliced(2, 1), 'saga.journal-corrupt'],
    ['lost its beginning', (journal) => journal.slice(1), 'saga.journal-corrupt'],
    [
      'ends in half an entry',
      (journal) => journal.with(-1, (journal.at(-1) ?? new Uint8Array()).slice(0, 40)),
      'saga.journal-corrupt',
    ],
    ['ends in nothing', (journal) => journal.with(-1, new Uint8Array(0)), 'saga.journal-corrupt'],
    ['has a changed byte', change(0, 'LIS', 'LIZ'), 'saga.journal-corrupt'],
    [
      'has entries in another order',
      (journal) => [...journal.slice(0, 2), ...journal.slice(2).toReversed()],
      'saga.journal-corrupt',
    ],
    ['is that of another saga', (_, other) => other, 'saga.journal-corrupt'],
    ['is no text', () => [new Uint8Array([0xff, 0xfe])], 'saga.journal-corrupt'],
    ['has no event', only(7), 'saga.journal-corrupt'],
    ['begins in the middle', only({ type: 'owned', instance: 'x', epoch: 1 }), 'saga.journal-corrupt'],
    ['has a later format', change(-1, '"v":2', '"v":3'), 'saga.plan-unsupported'],
    ['has an event of a later version', only({ type: 'child-started' }), 'saga.plan-unsupported'],
  ])(
    'that %s stops its saga with a code, is told of, kept as it is, and holds up nobody else',
    async (_, damage, code) => {
      const { lab, clock, damaged } = await leave(damage)
      const errors: string[] = []
      const records: unknown[] = []
      const node = {
        ...lab.mesh.createNode({ name: 'acme/travel', store: lab.store, clock, instance: 'did:key:zTwo' }),
        logger: {
          ...lab.mesh.createNode({ name: 'acme/x', store: lab.store, clock }).logger,
          error: (what: string) => errors.push(what),
        },
        record: (...given: readonly unknown[]) => records.push(given),
      }
      await using sagas = createSagas(node, { definitions: [asked] })
      const resumed = sagas.resume()
      await clock.advance(1_000)
      expect(await resumed).toMatchObject({ adopted: ['sound'], stopped: [{ id: 'bad', error: { code } }] })
      expect(errors).toEqual([code])
      expect(records).toContainEqual(['saga', { saga: 'bad', event: 'stopped', code }])
      await expect(sagas.attach('bad')).rejects.toMatchObject({ code })
      await expect(sagas.start(asked, input, { id: 'bad' })).rejects.toMatchObject({ code })
      expect((await sagas.list()).stopped).toMatchObject([{ id: 'bad', error: { code } }])
      expect(await (await sagas.attach('sound')).signal('go', 'now')).toEqual({ kind: 'allow' })
      await clock.settle()
      expect((await (await sagas.attach('sound')).settled()).status).toBe('completed')
      expect(lab.store.streams.get(streamOf('bad'))).toEqual(damaged)
      expect([...lab.agents.world().effects.keys()].filter((key) => key.includes('/bad/'))).toHaveLength(1)
    },
  )
})

describe('a store that was restored from before', () => {
  it('makes nothing happen twice, and leaves nothing of a saga that is undone', async () => {
    const clock = createManualClock()
    const lab = createTripLab(clock)
    const first = lab.orchestrator([asked])
    for (const id of ['on', 'back']) await first.start(asked, input, { id })
    const backup = lab.store.contents()
    await clock.settle()
    const before = lab.agents.world().log.length
    await lab.closeAll()
    expect(before).toBe(2)
    const restored = createMemoryStore(backup)
    const next = lab.orchestrator([asked], 'did:key:zTwo', { store: restored })
    const resumed = next.resume()
    await clock.advance(10_000)
    await resumed
    expect((await next.list()).sagas).toMatchObject([{ epoch: 2 }, { epoch: 2 }])
    expect(lab.agents.world().log).toHaveLength(before)
    expect(await (await next.attach('back')).cancel('not wanted')).toMatchObject({ kind: 'allow' })
    expect(await (await next.attach('on')).signal('go', 'now')).toEqual({ kind: 'allow' })
    await clock.advance(10_000)
    expect((await (await next.attach('on')).settled()).status).toBe('completed')
    expect((await (await next.attach('back')).settled()).status).toBe('compensated')
    expect([...lab.agents.world().effects.keys()].map((key) => key.split('/')[2])).toEqual(['on', 'on'])
  })
})
