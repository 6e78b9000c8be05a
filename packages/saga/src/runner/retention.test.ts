import { hash } from 'node:crypto'
import { createManualClock } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { defineSaga } from '../definition/define-saga.ts'
import { step } from '../definition/step.ts'
import { signal, wait } from '../definition/wait.ts'
import { decodeEntry, emptyHead } from '../journal/journal-format.ts'
import { anySchema, trips, type Trip } from '../testing/trip-contract.fixture.ts'
import { createTripLab, type TripLab } from '../testing/trip-lab.fixture.ts'
import type { Sagas } from './sagas.ts'

/** How long these tests keep what ended: short, since leases are renewed meanwhile. */
const keptMs = 120_000
const input = { from: 'SFO', to: 'LIS' }
const two = defineSaga(
  'two',
  { version: 1, input: anySchema<Trip>() },
  step('flight', { do: trips.reserve, input: ({ saga }) => ({ what: saga.to }) }),
  step('hotel', { do: trips.reserve, input: () => ({ what: 'hotel' }) }),
)
const asked = defineSaga(
  'asked',
  { version: 1, input: anySchema<Trip>() },
  wait('go', signal(anySchema<string>())),
  step('flight', { do: trips.reserve, input: ({ saga }) => ({ what: saga.to }) }),
)

interface Kept {
  readonly lab: TripLab
  readonly clock: ReturnType<typeof createManualClock>
  readonly sagas: Sagas
  stream(id: string): readonly Uint8Array[]
}

function open(keepEndedMs = keptMs): Kept {
  const clock = createManualClock()
  const lab = createTripLab(clock)
  const sagas = lab.orchestrator([two, asked], 'did:key:zOne', { keepEndedMs })
  return { lab, clock, sagas, stream: (id) => lab.store.streams.get(`saga/acme/travel/${id}`) ?? [] }
}

describe('sagas.compact', () => {
  it('puts a small summary in the place of what ended long enough ago, and of nothing else', async () => {
    const { sagas, clock, stream } = open()
    await (await sagas.start(two, input, { id: 'done' })).result()
    await sagas.start(asked, input, { id: 'waits' })
    await clock.advance(keptMs - 1_000)
    await (await sagas.start(two, input, { id: 'fresh' })).result()
    expect(await sagas.compact()).toEqual([])
    await clock.advance(1_000)
    const before = (await sagas.show('done')).view
    const whole = stream('done').reduce((sum, { length }) => sum + length, 0)
    expect(await sagas.compact()).toEqual(['done'])
    expect(await sagas.compact()).toEqual([])
    expect(stream('done')).toHaveLength(1)
    expect(stream('done')[0]?.length).toBeLessThan(whole / 2)
    expect(new TextDecoder().decode(stream('done')[0])).not.toContain('LIS')
    expect((await sagas.show('done')).view).toEqual({ ...before, sealed: true })
    expect(stream('fresh').length).toBeGreaterThan(1)
    expect(await (await sagas.attach('waits')).signal('go', 'now')).toEqual({ kind: 'allow' })
  })

  it('keeps the head of the chain: what was exported before ends where the summary begins', async () => {
    const { sagas, clock, stream } = open()
    await (await sagas.start(two, input, { id: 't' })).result()
    const exported = stream('t')
    await clock.advance(keptMs)
    await sagas.compact()
    let head = emptyHead('saga/acme/travel/t')
    for (const [at, data] of [...exported, ...stream('t')].entries()) head = decodeEntry(head, at + 1, data).head
    expect(head.position).toBe(exported.length + 1)
    const tampered = exported.with(-1, new TextEncoder().encode('{}'))
    const link = (JSON.parse(new TextDecoder().decode(stream('t')[0])) as { readonly prev: string }).prev
    const hashOf = (data: Uint8Array | undefined): string =>
      hash('sha256', new TextDecoder().decode(data).split('\n')[0] ?? '', 'base64url')
    expect(link).toBe(hashOf(exported.at(-1)))
    expect(link).not.toBe(hashOf(tampered.at(-1)))
  })

  it('leaves starts idempotent by id: the same saga, never run again, and another input refused', async () => {
    const { lab, sagas, clock } = open()
    await (await sagas.start(two, input, { id: 't' })).result()
    await clock.advance(keptMs)
    await sagas.compact()
    const calls = lab.mesh.calls.length
    for (const instance of [sagas, lab.orchestrator([two], 'did:key:zTwo')]) {
      const again = await instance.start(two, { to: 'LIS', from: 'SFO' }, { id: 't' })
      expect((await again.settled()).status).toBe('completed')
      await expect(again.result()).rejects.toMatchObject({ code: 'saga.sealed' })
      expect(await again.cancel('late')).toMatchObject({ code: 'saga.cancel-refused' })
      await expect(instance.start(two, { ...input, to: 'OPO' }, { id: 't' })).rejects.toMatchObject({
        code: 'saga.id-conflict',
      })
    }
    expect(lab.mesh.calls).toHaveLength(calls)
    expect((await sagas.list()).sagas).toMatchObject([{ id: 't', status: 'completed', sealed: true }])
    expect(await lab.orchestrator([two], 'did:key:zThree').resume()).toEqual({ adopted: [], stopped: [] })
  })

  it('like every walk over many sagas gives others their turn of the event loop', async () => {
    const { lab, sagas, clock } = open()
    for (let at = 0; at < 64; at++) await (await sagas.start(two, input, { id: `t${at}` })).result()
    await clock.advance(keptMs)
    const others = lab.orchestrator([two], 'did:key:zTwo')
    for (const walk of [() => others.resume(), () => sagas.compact(), () => sagas.list()]) {
      let turns = 0
      let isOver = false
      const tick = (): void => {
        turns++
        if (!isOver) clock.defer(tick)
      }
      clock.defer(tick)
      const walked = walk().finally(() => {
        isOver = true
      })
      await clock.settle()
      await walked
      expect(turns).toBeGreaterThan(3)
    }
  })

  it('says of one that was undone that it was, and why', async () => {
    const { lab, sagas, clock } = open()
    lab.agents.declines.add('hotel')
    const run = await sagas.start(two, input, { id: 't' })
    await expect(run.result()).rejects.toMatchObject({ code: 'saga.compensated' })
    await clock.advance(keptMs)
    await sagas.compact()
    await expect((await sagas.attach('t')).result()).rejects.toMatchObject({
      code: 'saga.compensated',
      details: { step: 'hotel' },
    })
  })

  it.each([
    ['by itself once the sagas were resumed', keptMs, true],
    ['never where that is said', Infinity, false],
  ])('happens %s', async (_, keepEndedMs, isSealed) => {
    const { sagas, clock, stream } = open(keepEndedMs)
    await sagas.resume()
    await (await sagas.start(two, input, { id: 't' })).result()
    const whole = stream('t').length
    await clock.advance(2 * keptMs)
    expect(await sagas.compact()).toEqual([])
    expect(stream('t')).toHaveLength(isSealed ? 1 : whole)
  })

  it('is whole or sealed wherever the process dies, and is done again', async () => {
    for (const when of ['before', 'after']) {
      const { lab, sagas, clock, stream } = open()
      await (await sagas.start(two, input, { id: 't' })).result()
      await clock.advance(keptMs)
      const { journal } = lab.store
      const { compact } = journal
      journal.compact = async (...given) => {
        if (when === 'after') await compact(...given)
        throw new Error('the process died')
      }
      await expect(sagas.compact()).rejects.toThrow('the process died')
      journal.compact = compact
      const next = lab.orchestrator([two], 'did:key:zTwo', { keepEndedMs: keptMs })
      expect((await next.show('t')).view.status).toBe('completed')
      expect(await next.compact()).toEqual(when === 'before' ? ['t'] : [])
      expect(stream('t')).toHaveLength(1)
    }
  })

  it('leaves what is damaged as it is, and goes on with the others', async () => {
    const { lab, sagas, clock, stream } = open()
    for (const id of ['a', 'b']) await (await sagas.start(two, input, { id })).result()
    const damaged = stream('a').toSpliced(1, 1)
    lab.store.streams.set('saga/acme/travel/a', damaged)
    await clock.advance(keptMs)
    expect(await sagas.compact()).toEqual(['b'])
    expect(stream('a')).toEqual(damaged)
  })

  it('removes the tickets of a key whose sagas are over, and keeps the order of the others', async () => {
    const { lab, sagas, clock } = open()
    for (const id of ['a', 'b', 'c']) await (await sagas.start(two, input, { id, key: 'seat' })).result()
    const tickets = (): readonly string[] =>
      [...lab.store.streams]
        .filter(([name]) => name.startsWith('saga-key/'))
        .flatMap(([, entries]) => entries.map((data) => new TextDecoder().decode(data)))
    const first = await sagas.start(asked, input, { id: 'd', key: 'seat' })
    const second = await sagas.start(two, input, { id: 'e', key: 'seat' })
    await clock.settle()
    expect(tickets()).toEqual(['a', 'b', 'c', 'd', 'e'])
    await sagas.compact()
    expect(tickets()).toEqual(['d', 'e'])
    expect(second.state().waiting).toMatchObject({ for: 'another-saga', step: 'd' })
    await lab.closeAll()
    const next = lab.orchestrator([two, asked], 'did:key:zTwo')
    const resumed = next.resume()
    await clock.advance(1_000)
    await resumed
    expect(await (await next.attach('d')).signal('go', 'now')).toEqual({ kind: 'allow' })
    await clock.advance(1_000)
    expect((await (await next.attach('e')).settled()).status).toBe('completed')
    const log = lab.agents.world().log.map((line) => line.split('/')[2])
    expect(log.lastIndexOf('d')).toBeLessThan(log.indexOf('e'))
    await next.compact()
    expect(tickets()).toEqual(['e'])
    expect(first.id).toBe('d')
  })
})

describe('a seal', () => {
  it('belongs to its stream, and stands at its beginning only', async () => {
    const { lab, sagas, clock, stream } = open()
    for (const id of ['a', 'b']) await (await sagas.start(two, input, { id })).result()
    await clock.advance(keptMs)
    const headless = stream('b').slice(2)
    await sagas.compact()
    const corrupt = { code: 'saga.journal-corrupt' }
    const [seal] = stream('a')
    if (!seal) throw new TypeError('nothing was sealed')
    lab.store.streams.set('saga/acme/travel/b', [seal])
    await expect(sagas.show('b')).rejects.toMatchObject(corrupt)
    // Where the beginning is cut away, and nothing says so.
    lab.store.streams.set('saga/acme/travel/c', headless)
    await expect(sagas.show('c')).rejects.toMatchObject(corrupt)
  })
})
