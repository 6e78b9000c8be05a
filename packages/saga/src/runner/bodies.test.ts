import { createManualClock, createSeededRandom } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { defineSaga } from '../definition/define-saga.ts'
import { step } from '../definition/step.ts'
import { signal, wait } from '../definition/wait.ts'
import { createStoredDataKeys, type DataKeys } from '../journal/data-keys.ts'
import { decodeEntry, emptyHead } from '../journal/journal-format.ts'
import { anySchema, trips, type Trip } from '../testing/trip-contract.fixture.ts'
import { createTripLab, type TripLab } from '../testing/trip-lab.fixture.ts'
import type { SagasOptions } from './sagas.ts'

const secret = 'Ada Lovelace, seat 7A'
const input = { from: 'SFO', to: secret }
const long = { from: 'SFO', to: secret.repeat(400) }
const book = defineSaga(
  'book',
  { version: 1, input: anySchema<Trip>() },
  step('flight', { do: trips.reserve, input: ({ saga }) => ({ what: saga.to }) }),
  wait('go', signal(anySchema<string>())),
  step('hotel', { do: trips.reserve, input: ({ saga, results }) => ({ what: `${saga.to} ${String(results.go)}` }) }),
)

const twins = defineSaga(
  'twins',
  { version: 1, input: anySchema<Trip>() },
  step('first', { do: trips.reserve, input: ({ saga }) => ({ what: saga.to }) }),
  step('second', { do: trips.reserve, input: ({ saga }) => ({ what: saga.to }) }),
)

interface Opened {
  readonly lab: TripLab
  readonly clock: ReturnType<typeof createManualClock>
  readonly dataKeys: DataKeys
  readonly sagas: ReturnType<TripLab['orchestrator']>
}

function open(options: Omit<SagasOptions, 'definitions'> = {}, hasKeys = true): Opened {
  const clock = createManualClock()
  const lab = createTripLab(clock)
  const dataKeys = createStoredDataKeys(lab.store.keyValue, createSeededRandom(7))
  const sagas = lab.orchestrator([book, twins], 'did:key:zOne', { ...(hasKeys && { dataKeys }), ...options })
  return { lab, clock, dataKeys, sagas }
}

/** Everything that a store holds, as text. */
async function readStore({ store }: TripLab): Promise<string> {
  const entries = [...store.streams.values()].flat()
  const values = (await store.keyValue.list('')).map(({ value }) => value)
  return [...entries, ...values].map((data) => Buffer.from(data).toString('latin1')).join('\n')
}

async function finish({ sagas, clock }: Opened, id: string, given = input): Promise<unknown> {
  const run = await sagas.start(book, given, { id })
  await clock.settle()
  await run.signal('go', `${secret}!`)
  return run.result()
}

const bodiesOf = async ({ lab }: Opened): Promise<readonly string[]> =>
  (await lab.store.keyValue.list('saga-body/')).map(({ key }) => key)

describe('a body of more than 4 KiB', () => {
  it('is stored once, by its hash, before the entry that refers to it; a small one stands in its entry', async () => {
    const opened = open({}, false)
    const order: string[] = []
    const { journal, keyValue } = opened.lab.store
    const [{ append }, { put }] = [journal, keyValue]
    journal.append = (...given) => {
      order.push(given[0].split('/')[0] ?? '')
      return append(...given)
    }
    keyValue.put = (...given) => {
      if (given[0].startsWith('saga-body/')) order.push('body')
      return put(...given)
    }
    await (await opened.sagas.start(twins, long, { id: 'long' })).result()
    expect(order.indexOf('body')).toBeLessThan(order.indexOf('saga'))
    // The input of the saga, that of both its steps, the answer of both, and the output.
    expect(await bodiesOf(opened)).toHaveLength(4)
    expect(order.filter((what) => what === 'body')).toHaveLength(4)
    for (const data of opened.lab.store.streams.get('saga/acme/travel/long') ?? [])
      expect(data.length).toBeLessThan(4_096)
    expect((await opened.sagas.show('long')).events[0]?.event).toMatchObject({ input: long })
    await finish(opened, 'small')
    expect(await bodiesOf(opened)).toHaveLength(4)
    expect(await readStore(opened.lab)).toContain(secret)
  })

  it.each(['missing', 'changed'])('that is %s stops its own saga with a code, and others go on', async (how) => {
    const opened = open({}, false)
    const { lab, sagas, clock } = opened
    for (const id of ['a', 'b']) await sagas.start(book, long, { id })
    await clock.settle()
    const [body = ''] = (await lab.store.keyValue.list('saga-body/acme/travel/a/')).map(({ key }) => key)
    if (how === 'missing') await lab.store.keyValue.delete(body)
    else await lab.store.keyValue.put(body, new TextEncoder().encode('"other"'))
    await lab.closeAll()
    const next = lab.orchestrator([book], 'did:key:zTwo')
    const resumed = next.resume()
    await clock.advance(1_000)
    expect(await resumed).toMatchObject({
      adopted: ['b'],
      stopped: [{ id: 'a', error: { code: 'saga.journal-corrupt' } }],
    })
    expect(await (await next.attach('b')).signal('go', 'x')).toEqual({ kind: 'allow' })
    await clock.settle()
    expect((await (await next.attach('b')).settled()).status).toBe('completed')
  })

  it('goes when its saga is compacted, also where the process died in between', async () => {
    const opened = open({ keepEndedMs: 60_000 }, false)
    const { lab, sagas, clock } = opened
    await finish(opened, 't', long)
    expect((await bodiesOf(opened)).length).toBeGreaterThan(0)
    await clock.advance(60_000)
    const { delete: remove } = lab.store.keyValue
    lab.store.keyValue.delete = (key) =>
      key.startsWith('saga-body/') ? Promise.reject(new Error('died')) : remove(key)
    await expect(sagas.compact()).rejects.toThrow('died')
    lab.store.keyValue.delete = remove
    const next = lab.orchestrator([book], 'did:key:zTwo', { keepEndedMs: 60_000 })
    expect((await next.show('t')).view).toMatchObject({ status: 'completed', sealed: true })
    await next.compact()
    expect(await bodiesOf(opened)).toEqual([])
  })
})

describe('a saga with a data key', () => {
  it.each([
    ['small', input],
    ['large', long],
  ])('keeps nothing of its %s bodies in the clear, and goes on anywhere that has the keys', async (_, given) => {
    const opened = open()
    const { lab, sagas, clock, dataKeys } = opened
    await sagas.start(book, given, { id: 't' })
    await clock.settle()
    await lab.closeAll()
    const next = lab.orchestrator([book], 'did:key:zTwo', { dataKeys })
    const resumed = next.resume()
    await clock.advance(1_000)
    await resumed
    const run = await next.attach('t')
    expect(await run.signal('go', `${secret}!`)).toEqual({ kind: 'allow' })
    expect(await run.result()).toMatchObject({ go: `${secret}!`, flight: { ref: `ref-${given.to}` } })
    expect(await readStore(lab)).not.toContain('Lovelace')
    expect(await next.start(book, given, { id: 't' })).toMatchObject({ id: 't' })
    await expect(next.start(book, { ...given, to: 'OPO' }, { id: 't' })).rejects.toMatchObject({
      code: 'saga.id-conflict',
    })
  })

  it('is erased by destroying it: the bodies are gone, the chain is checkable, and how it ended is known', async () => {
    const opened = open()
    const { lab, sagas } = opened
    await finish(opened, 't', long)
    await finish(opened, 'other')
    expect(await sagas.erase('t')).toEqual({ kind: 'allow' })
    expect(await sagas.erase('t')).toEqual({ kind: 'allow' })
    expect(await bodiesOf(opened)).toEqual([])
    let head = emptyHead('saga/acme/travel/t')
    for (const [at, data] of (lab.store.streams.get('saga/acme/travel/t') ?? []).entries())
      head = decodeEntry(head, at + 1, data).head
    const next = lab.orchestrator([book], 'did:key:zTwo', { dataKeys: opened.dataKeys })
    const { view, events } = await next.show('t')
    expect(view).toMatchObject({ status: 'completed', steps: { flight: { status: 'committed' } } })
    expect(events.flatMap(({ erased = [] }) => erased)).toEqual([
      'input',
      'input',
      'output',
      'value',
      'input',
      'output',
      'output',
    ])
    const erased = { code: 'saga.bodies-erased' }
    await expect((await next.attach('t')).result()).rejects.toMatchObject(erased)
    await expect(next.start(book, long, { id: 't' })).rejects.toMatchObject(erased)
    expect(await (await next.attach('other')).result()).toMatchObject({ go: `${secret}!` })
  })

  it('is not erased while it needs its bodies, nor said to be where they are in the clear', async () => {
    const opened = open()
    const { lab, sagas, clock } = opened
    await sagas.start(book, input, { id: 'waits' })
    await clock.settle()
    expect(await sagas.erase('waits')).toMatchObject({ code: 'saga.not-over' })
    const plain = lab.orchestrator([book], 'did:key:zOne')
    const run = await plain.start(book, input, { id: 'plain' })
    await clock.settle()
    await run.signal('go', 'now')
    await run.result()
    expect(await sagas.erase('plain')).toMatchObject({ code: 'saga.not-erasable' })
    await expect(sagas.erase('none')).rejects.toMatchObject({ code: 'saga.unknown' })
  })

  it('stops with a code in a process that has not the keys, is told of, and others go on', async () => {
    const { lab, sagas, clock } = open()
    await sagas.start(book, input, { id: 'locked' })
    await clock.settle()
    await lab.orchestrator([book], 'did:key:zOne').start(book, input, { id: 'open' })
    await clock.settle()
    await lab.closeAll()
    const blind = lab.orchestrator([book], 'did:key:zTwo')
    const resumed = blind.resume()
    await clock.advance(1_000)
    expect(await resumed).toMatchObject({
      adopted: ['open'],
      stopped: [{ id: 'locked', error: { code: 'saga.bodies-erased' } }],
    })
    const { signal: tell } = await blind.attach('locked')
    await expect(tell('go', secret)).rejects.toMatchObject({ code: 'saga.bodies-erased' })
    expect(await readStore(lab)).not.toContain(`"${secret}!`)
  })

  it('loses it with its bodies when it is compacted', async () => {
    const opened = open({ keepEndedMs: 60_000 })
    const { lab, sagas, clock, dataKeys } = opened
    await finish(opened, 't', long)
    expect(await dataKeys.read('saga/acme/travel/t')).toHaveLength(32)
    await clock.advance(60_000)
    expect(await sagas.compact()).toEqual(['t'])
    expect(await dataKeys.read('saga/acme/travel/t')).toBeUndefined()
    expect(await bodiesOf(opened)).toEqual([])
    expect((await sagas.start(book, long, { id: 't' })).state()).toMatchObject({ status: 'completed', sealed: true })
    expect(await readStore(lab)).not.toContain('Lovelace')
  })
})
