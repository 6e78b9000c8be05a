import { createManualClock } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { defineSaga } from '../definition/define-saga.ts'
import { pivot, step } from '../definition/step.ts'
import { createMemoryStore } from '../testing/memory-store.fixture.ts'
import { anySchema, trips, type Trip } from '../testing/trip-contract.fixture.ts'
import { createTripLab } from '../testing/trip-lab.fixture.ts'
import { defineSequential } from '../testing/trip-sagas.fixture.ts'
import { createSagas } from './create-sagas.ts'

const input = { from: 'SFO', to: 'LIS' }
const options = { version: 1, input: anySchema<Trip>() }
const book = defineSaga(
  'book',
  options,
  step('flight', { do: trips.reserve, input: ({ saga }) => ({ what: saga.to }) }),
  step('hotel', { do: trips.reserve, input: ({ results }) => ({ what: results.flight.ref }) }),
  pivot('charge', { do: trips.charge, input: ({ results }) => ({ amount: results.hotel.ref.length }) }),
)
const bookStream = 'saga/acme/travel/t'

describe('sagas.start', () => {
  it('runs three steps in four commits', async () => {
    const lab = createTripLab()
    const run = await lab.orchestrator([book]).start(book, input, { id: 't' })
    expect(await run.result()).toEqual({
      flight: { ref: 'ref-LIS' },
      hotel: { ref: 'ref-ref-LIS' },
      charge: { receipt: 11 },
    })
    expect(lab.store.appends()).toBe(4)
    const keys = ['flight', 'hotel', 'charge'].map((name) => `do acme/travel/t/${name}`)
    expect(lab.agents.world().log).toEqual(keys)
  })

  it('T11: sends nothing before its intent is durable, and records only what is', async () => {
    const lab = createTripLab()
    const seen: boolean[] = []
    const node = lab.mesh.createNode({
      name: 'acme/travel',
      store: lab.store,
      clock: lab.clock,
      around: (call, deliver) => {
        seen.push(lab.journal('t').some((event) => event.type === 'intended' && event.step === call.saga.step))
        return deliver()
      },
    })
    await (await createSagas(node, { definitions: [book] }).start(book, input, { id: 't' })).result()
    expect(seen).toEqual([true, true, true])
    expect(node.records.map((record) => record['event'])).toEqual(lab.journal('t').map((event) => event.type))
  })

  it('is idempotent by id: two starts at once are one saga', async () => {
    const lab = createTripLab()
    const sagas = lab.orchestrator([book])
    const runs = await Promise.all([
      sagas.start(book, input, { id: 't' }),
      sagas.start(book, { to: 'LIS', from: 'SFO' }, { id: 't' }),
    ])
    expect(await runs[0].result()).toEqual(await runs[1].result())
    expect(lab.agents.world().log).toHaveLength(3)
    const again = await sagas.start(book, input, { id: 't' })
    expect(await again.result()).toEqual(await runs[0].result())
  })

  it('refuses an id that another definition or input has', async () => {
    const lab = createTripLab()
    const other = defineSequential(1)
    const sagas = lab.orchestrator([book, other])
    const run = await sagas.start(book, input, { id: 't' })
    const conflict = expect.objectContaining({ code: 'saga.id-conflict' })
    await expect(sagas.start(book, { from: 'A', to: 'B' }, { id: 't' })).rejects.toEqual(conflict)
    await expect(sagas.start(other, input, { id: 't' })).rejects.toEqual(conflict)
    await run.result()
    await expect(sagas.start(other, input, { id: 't' })).rejects.toEqual(conflict)
  })

  it.each(['', 'a/b', '../x', 'a b', 'x'.repeat(129)])('refuses the id %j', async (id) => {
    const start = createTripLab().orchestrator([book]).start(book, input, { id })
    await expect(start).rejects.toMatchObject({ code: 'saga.id-invalid' })
  })

  it('refuses what is not registered, not JSON, or started after close', async () => {
    const lab = createTripLab()
    const sagas = lab.orchestrator([book])
    const start = (definition: typeof book, value: Trip): Promise<unknown> =>
      sagas.start(definition, value, { id: 't' })
    await expect(lab.orchestrator([]).start(book, input, { id: 't' })).rejects.toMatchObject({
      code: 'saga.version-unknown',
    })
    await expect(start(book, { from: 'a', to: new Date(0) as unknown as string })).rejects.toMatchObject({
      code: 'contract.input-invalid',
    })
    await sagas.close()
    await expect(start(book, input)).rejects.toMatchObject({ code: 'saga.closed' })
    expect(lab.store.streams.size).toBe(0)
  })

  it('holds back what is beyond its concurrency, durably', async () => {
    const lab = createTripLab()
    const gate = Promise.withResolvers<undefined>()
    const node = lab.mesh.createNode({
      name: 'acme/travel',
      store: lab.store,
      clock: lab.clock,
      around: async (_call, deliver) => {
        await gate.promise
        return deliver()
      },
    })
    const sagas = createSagas(node, { definitions: [book], concurrency: 1 })
    const first = await sagas.start(book, input, { id: 'one' })
    const second = await sagas.start(book, input, { id: 'two' })
    expect(lab.journal('two').map((event) => event.type)).toEqual(['started', 'owned'])
    gate.resolve(undefined)
    expect([(await first.settled()).status, (await second.settled()).status]).toEqual(['completed', 'completed'])
  })
})

describe('createSagas', () => {
  it('refuses options that are out of range, all of them at once', () => {
    const create = (): unknown =>
      createTripLab().orchestrator([book], 'did:key:zOne', { concurrency: 0, leaseMs: Number.NaN, keepEndedMs: -1 })
    expect(create).toThrow(expect.objectContaining({ code: 'mesh.config-invalid' }))
    for (const name of ['concurrency', 'leaseMs', 'keepEndedMs']) expect(create).toThrow(name)
  })

  it('refuses two structures under one version', () => {
    const other = defineSaga('book', options, step('flight', { do: trips.reserve, input: () => ({ what: '' }) }))
    const lab = createTripLab()
    expect(() => lab.orchestrator([book, other])).toThrow(expect.objectContaining({ code: 'saga.version-conflict' }))
    const newer = defineSaga('book', { ...options, version: 2 }, ...other.parts)
    expect(() => lab.orchestrator([book, newer])).not.toThrow()
  })
})

/** Starts a saga whose process stops at its first command. */
async function abandon(lab: ReturnType<typeof createTripLab>, id: string): Promise<void> {
  const sent = Promise.withResolvers<undefined>()
  const node = lab.mesh.createNode({
    name: 'acme/travel',
    store: lab.store,
    clock: lab.clock,
    around: () => {
      sent.resolve(undefined)
      return new Promise(() => undefined)
    },
  })
  const sagas = createSagas(node, { definitions: [book] })
  const run = await sagas.start(book, input, { id })
  await sent.promise
  await sagas.close()
  await expect(run.result()).rejects.toMatchObject({ code: 'saga.closed' })
}

describe('sagas.resume', () => {
  it('takes over what another instance left, under a higher epoch, and leaves what has ended alone', async () => {
    const lab = createTripLab()
    await abandon(lab, 'left')
    await (await lab.orchestrator([book], 'did:key:zThree').start(book, input, { id: 'ended' })).result()
    const two = lab.orchestrator([book], 'did:key:zTwo')
    expect(await two.resume()).toEqual({ adopted: ['left'], stopped: [] })
    expect(await (await two.attach('left')).settled()).toMatchObject({ status: 'completed', epoch: 2 })
    expect(lab.mesh.calls.filter((call) => call.includes('flight'))).toContain('lookup flight acme/trips')
  })

  it('stops a saga that began under another owner, and commands nobody for it', async () => {
    const lab = createTripLab()
    await abandon(lab, 't')
    const sent = lab.mesh.calls.length
    const { store, clock } = lab
    const node = lab.mesh.createNode({ name: 'acme/travel', owner: 'did:key:zOther', store, clock })
    const sagas = createSagas(node, { definitions: [book] })
    const changed = { code: 'saga.owner-changed' }
    expect(await sagas.resume()).toMatchObject({ adopted: [], stopped: [{ id: 't', error: changed }] })
    await expect(sagas.start(book, input, { id: 't' })).rejects.toMatchObject(changed)
    expect(lab.mesh.calls).toHaveLength(sent)
    const sound = lab.orchestrator([book])
    await sound.resume()
    expect((await (await sound.attach('t')).settled()).status).toBe('completed')
  })

  it('refuses to go on with another structure of the same version', async () => {
    const lab = createTripLab()
    await abandon(lab, 't')
    const other = defineSaga('book', options, step('flight', { do: trips.reserve, input: () => ({ what: '' }) }))
    const { stopped } = await lab.orchestrator([other]).resume()
    expect(stopped).toMatchObject([{ id: 't', error: { code: 'saga.version-conflict' } }])
  })

  it('without the version finishes what is under way, waits for the rest, and can still undo it', async () => {
    const lab = createTripLab()
    await abandon(lab, 't')
    const sagas = lab.orchestrator([])
    await sagas.resume()
    const run = await sagas.attach('t')
    for await (const { event } of run?.events() ?? []) if (event.type === 'awaiting-version') break
    expect(run?.state()).toMatchObject({
      status: 'waiting',
      waiting: { for: 'version', code: 'saga.version-unknown' },
      steps: { flight: { status: 'committed' }, hotel: { status: 'planned' } },
    })
    expect(await run?.cancel('never deployed again')).toEqual({ kind: 'allow', stopped: {} })
    expect(await run?.settled()).toMatchObject({ status: 'compensated', turned: { code: 'saga.cancelled' } })
    expect(lab.agents.world().effects.size).toBe(0)
  })

  it('T13: fences the former owner, whose append and whose commands are refused', async () => {
    const lab = createTripLab()
    const gate = Promise.withResolvers<undefined>()
    const sent = Promise.withResolvers<undefined>()
    let zombie: unknown
    const node = lab.mesh.createNode({
      name: 'acme/travel',
      store: lab.store,
      // A process that is paused tells no heartbeat.
      clock: createManualClock(),
      around: async (_call, deliver) => {
        sent.resolve(undefined)
        await gate.promise
        const outcome = await deliver()
        zombie = outcome
        return outcome
      },
    })
    const paused = await createSagas(node, { definitions: [book] }).start(book, input, { id: 't' })
    await sent.promise
    const two = lab.orchestrator([book], 'did:key:zTwo')
    expect(await two.resume()).toEqual({ adopted: [], stopped: [] })
    expect(await (await two.attach('t')).settled()).toMatchObject({ status: 'completed', epoch: 2 })
    const before = lab.agents.world().log
    gate.resolve(undefined)
    await expect(paused.settled()).rejects.toMatchObject({ code: 'saga.not-owned' })
    expect(zombie).toMatchObject({ kind: 'refused', code: 'saga.stale-epoch' })
    expect(lab.agents.world().log).toEqual(before)
    expect(lab.journal('t').at(-1)?.type).toBe('completed')
  })

  it('leaves the sagas of another name alone', async () => {
    const lab = createTripLab()
    await abandon(lab, 't')
    const node = lab.mesh.createNode({ name: 'acme/travel-two', store: lab.store, clock: lab.clock })
    expect(await createSagas(node, { definitions: [book] }).resume()).toEqual({ adopted: [], stopped: [] })
  })
})

describe('sagas.attach', () => {
  it('follows a saga that another process drives, to its end', async () => {
    const clock = createManualClock()
    const lab = createTripLab(clock)
    await abandon(lab, 't')
    const watcher = await lab.orchestrator([]).attach('t')
    await lab.orchestrator([book], 'did:key:zTwo').resume()
    await clock.advance(1_000)
    expect(watcher.state().status).toBe('completed')
    const types: string[] = []
    for await (const { event } of watcher.events(3)) types.push(event.type)
    expect(types.at(0)).toBe('intended')
    expect(types.at(-1)).toBe('completed')
  })

  it('refuses an id that no saga has', async () => {
    const attach = createTripLab().orchestrator([]).attach('nobody')
    await expect(attach).rejects.toMatchObject({ code: 'saga.unknown' })
  })
})

describe('a run', () => {
  it('is cancelled by undoing, and says why', async () => {
    const lab = createTripLab()
    const gate = Promise.withResolvers<undefined>()
    const node = lab.mesh.createNode({
      name: 'acme/travel',
      store: lab.store,
      clock: lab.clock,
      around: async (call, deliver) => {
        if (call.saga.step === 'hotel' && call.saga.phase === 'do') await gate.promise
        return deliver()
      },
    })
    const run = await createSagas(node, { definitions: [book] }).start(book, input, { id: 't' })
    for await (const { event } of run.events()) if (event.type === 'intended' && event.step === 'hotel') break
    const cancelled = run.cancel('rain')
    gate.resolve(undefined)
    expect(await cancelled).toEqual({ kind: 'allow', stopped: { hotel: 'done' } })
    await expect(run.result()).rejects.toMatchObject({ details: { code: 'saga.cancelled', reason: 'rain' } })
    expect(run.state().steps).toMatchObject({
      flight: { status: 'undone' },
      hotel: { status: 'undone' },
      charge: { status: 'skipped' },
    })
    expect(lab.agents.world().effects.size).toBe(0)
  })

  it('stops with the error of a store that fails, and loses nothing', async () => {
    const lab = createTripLab()
    const broken = createMemoryStore()
    let appends = 0
    const store = {
      ...broken,
      journal: {
        ...broken.journal,
        append: (...args: Parameters<typeof broken.journal.append>) =>
          ++appends === 2 ? Promise.reject(new Error('disk full')) : broken.journal.append(...args),
      },
    }
    const run = await lab.orchestrator([book], 'did:key:zOne', { store }).start(book, input, { id: 't' })
    await expect(run.result()).rejects.toThrow('disk full')
    // The first instance drives nothing any more, and soon says so.
    const two = lab.orchestrator([book], 'did:key:zTwo', { store: broken })
    await two.resume()
    expect((await (await two.attach('t')).settled()).status).toBe('completed')
    expect(lab.agents.world().log).toHaveLength(3)
    expect(broken.streams.has(bookStream)).toBe(true)
  })
})
