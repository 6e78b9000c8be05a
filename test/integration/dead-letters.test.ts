import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import {
  deadLetterContract,
  defineContract,
  openDeadLetters,
  serveDeadLetters,
  type MeshNode,
  type Outcome,
  type SagaCommand,
} from '@parley/mesh'
import { createParticipant } from '@parley/saga'
import {
  openParticipantDatabase,
  openSqliteInbox,
  openSqliteStore,
  purgeSqliteInbox,
  withTransaction,
} from '@parley/store-sqlite'
import { createTestMesh, type TestMesh } from '@parley/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'

const rooms = defineContract('rooms', {
  reserve: {
    input: z.object({ guest: z.string() }),
    output: z.object({ room: z.number() }),
    risk: 'reversible',
    undo: true,
  },
})
/** The same contract, as somebody has it who does not hold to it. */
const careless = {
  ...rooms.reserve,
  input: { '~standard': { ...rooms.reserve.input['~standard'], validate: (value: unknown) => ({ value }) } },
} as unknown as typeof rooms.reserve

interface Hotel {
  readonly node: MeshNode
  readonly db: DatabaseSync
  broken: boolean
  rooms(): number
}

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-dead-'))
  folders.push(folder)
  return folder
}

/** Opens a hotel over what an earlier life of it left in `folder`. */
async function openHotel(mesh: TestMesh, folder: string, policy?: string): Promise<Hotel> {
  const db = openParticipantDatabase(join(folder, 'rooms.db'))
  db.exec('CREATE TABLE IF NOT EXISTS room (number INTEGER PRIMARY KEY, key TEXT NOT NULL)')
  const participant = createParticipant({
    inbox: openSqliteInbox(db),
    transaction: (run) => withTransaction(db, run),
    clock: mesh.clock,
  })
  const state = { broken: false }
  const node = await mesh.node('acme/hotel', {
    serves: [rooms, deadLetterContract],
    trust: { mode: 'observe' },
    store: await openSqliteStore({ path: join(folder, 'node.db'), clock: mesh.clock }),
    ...(policy === undefined ? {} : { policy: [{ file: 'hotel.yaml', text: policy }] }),
    serve: (serving) => {
      serving.serve(rooms, {
        reserve: participant.serve(rooms.reserve, {
          do(tx, _input, hop) {
            if (state.broken) throw new Error('a secret of the handler')
            const { lastInsertRowid } = tx.prepare('INSERT INTO room (key) VALUES (?)').run(hop.saga?.key ?? '')
            return { room: Number(lastInsertRowid) }
          },
          undo(tx, _done, hop) {
            tx.prepare('DELETE FROM room WHERE key = ?').run(hop.saga?.key ?? '')
          },
        }),
      })
      serving.serve(deadLetterContract, serveDeadLetters(serving))
    },
  })
  return Object.assign(state, {
    node,
    db,
    rooms: () => Number(db.prepare('SELECT count(*) AS n FROM room').get()?.['n']),
  })
}

interface Site {
  readonly mesh: TestMesh
  readonly folder: string
  readonly hotel: Hotel
  readonly desk: MeshNode
  ask(change?: Partial<SagaCommand>, capability?: typeof rooms.reserve, input?: unknown): Promise<Outcome>
  /** Breaks the handler over one command until it is a dead letter, and mends it; gives the letter's id. */
  breakOver(change?: Partial<SagaCommand>): Promise<string>
}

async function openSite(mesh: TestMesh): Promise<Site> {
  const folder = newFolder()
  const hotel = await openHotel(mesh, folder)
  const desk = await mesh.node('acme/desk', {
    calls: [...rooms.capabilities, ...deadLetterContract.capabilities],
    trust: { mode: 'observe' },
  })
  const ask: Site['ask'] = (change = {}, capability = rooms.reserve, input = { guest: 'ann' }) =>
    desk.tryCall(capability, input as { guest: string }, {
      to: 'acme/hotel',
      saga: {
        id: 'trip',
        step: 'room',
        attempt: 1,
        epoch: 1,
        key: 'trip/room',
        phase: 'do',
        expiresAtMs: mesh.clock.now() + 86_400_000,
        ...change,
      },
    })
  return {
    mesh,
    folder,
    hotel,
    desk,
    ask,
    async breakOver(change = {}) {
      hotel.broken = true
      for (let attempt = 1; attempt <= 3; attempt++) await ask({ ...change, attempt })
      hotel.broken = false
      const [letter] = (await hotel.node.deadLetters.list()).toReversed()
      return letter?.id ?? ''
    },
  }
}

const endOf = async (outcome: Promise<unknown>): Promise<unknown> => {
  const { kind, code } = ((await outcome) ?? {}) as { readonly kind?: string; readonly code?: string }
  return code === undefined ? kind : `${kind} ${code}`
}

describe('a dead letter', () => {
  it('is kept of a command that does not fit the contract at once, with its arguments, and told on the record', async () => {
    await using mesh = createTestMesh()
    const { hotel, ask } = await openSite(mesh)
    expect(await ask({}, careless, { guest: 7 })).toMatchObject({ kind: 'refused', code: 'contract.input-invalid' })
    await ask({ attempt: 2 }, careless, { guest: 7 })
    const [letter, ...others] = await hotel.node.deadLetters.list()
    expect(others).toEqual([])
    expect(letter).toMatchObject({
      code: 'contract.input-invalid',
      capability: 'rooms:reserve',
      count: 2,
      caller: { name: 'acme/desk' },
      saga: { id: 'trip', key: 'trip/room', attempt: 2 },
    })
    expect(await hotel.node.deadLetters.show(letter?.id ?? '')).toMatchObject({ input: { guest: 7 } })
    expect(mesh.recordsOf(hotel.node).filter(({ kind }) => kind === 'dead-letter')).toMatchObject([
      { event: 'kept', code: 'contract.input-invalid', peer: 'acme/desk', saga: 'trip', key: 'trip/room' },
    ])
  })

  it('is kept of a command that broke its handler three times, and forgotten once the command is served', async () => {
    await using mesh = createTestMesh()
    const { hotel, ask } = await openSite(mesh)
    hotel.broken = true
    await ask()
    await ask({ attempt: 2 })
    expect(await hotel.node.deadLetters.list()).toEqual([])
    await ask({ attempt: 3 })
    expect(await hotel.node.deadLetters.list()).toMatchObject([{ code: 'contract.handler-failed', count: 1 }])
    hotel.broken = false
    expect(await ask({ attempt: 4 })).toMatchObject({ kind: 'ok' })
    expect(await hotel.node.deadLetters.list()).toEqual([])
    // Calls without a saga and what is refused for another reason are nobody's dead letters.
    expect(await ask({ epoch: 0 })).toMatchObject({ kind: 'refused' })
    expect(await hotel.node.deadLetters.list()).toEqual([])
  })

  it('is replayed once its cause is mended, exactly once, and its sender finds it done', async () => {
    await using mesh = createTestMesh()
    const { hotel, ask, breakOver } = await openSite(mesh)
    const id = await breakOver()
    hotel.broken = true
    expect(await endOf(hotel.node.deadLetters.replay(id))).toBe('failed contract.handler-failed')
    hotel.broken = false
    const both = await Promise.all([hotel.node.deadLetters.replay(id), hotel.node.deadLetters.replay(id)])
    expect(both).toEqual([{ kind: 'ok', output: { room: 1 } }, undefined])
    expect(hotel.rooms()).toBe(1)
    expect(await ask({ attempt: 4 })).toMatchObject({ kind: 'ok', output: { room: 1 } })
    expect(await hotel.node.deadLetters.list()).toEqual([])
    expect(mesh.recordsOf(hotel.node).filter(({ replayed }) => replayed === true)).toMatchObject([
      { kind: 'hop', side: 'callee', outcome: 'failed', peer: 'acme/desk' },
      { kind: 'hop', side: 'callee', outcome: 'ok', peer: 'acme/desk', key: 'trip/room' },
    ])
  })

  it('outlives its node, whose next life verifies it anew', async () => {
    await using mesh = createTestMesh()
    const { hotel, folder, breakOver } = await openSite(mesh)
    const id = await breakOver()
    await hotel.node.close()
    hotel.db.close()
    const next = await openHotel(mesh, folder)
    expect(await next.node.deadLetters.replay(id)).toEqual({ kind: 'ok', output: { room: 1 } })
    expect(next.rooms()).toBe(1)
  })

  it('is listed, shown and dropped in the store of a stopped node', async () => {
    await using mesh = createTestMesh()
    const { hotel, folder, breakOver } = await openSite(mesh)
    const id = await breakOver()
    const kept = await hotel.node.deadLetters.show(id)
    await hotel.node.close()
    const store = await openSqliteStore({ path: join(folder, 'node.db') })
    const stopped = await openDeadLetters({ store, clock: mesh.clock })
    expect(await stopped.list()).toMatchObject([{ id, code: 'contract.handler-failed' }])
    expect(await stopped.show(id)).toEqual(kept)
    expect(kept).toMatchObject({ input: { guest: 'ann' } })
    expect([await stopped.drop(id), await stopped.drop(id)]).toEqual([true, false])
    expect(await (await openDeadLetters({ store, clock: mesh.clock })).list()).toEqual([])
    await store.close()
    hotel.db.close()
  })

  const bypasses: readonly (readonly [string, string, (site: Site) => Promise<unknown>])[] = [
    ['its undo came meanwhile', 'refused saga.tombstoned', ({ ask }) => ask({ phase: 'undo' })],
    ['its orchestrator lost the saga', 'refused saga.stale-epoch', ({ ask }) => ask({ phase: 'lookup', epoch: 2 })],
    ['its saga is over', 'refused saga.command-closed', ({ ask }) => ask({ phase: 'close' })],
    [
      'its saga expired',
      'refused saga.command-expired',
      ({ hotel, mesh }) => purgeSqliteInbox(hotel.db, mesh.clock.now() + 172_800_000),
    ],
    [
      'its sender was revoked',
      'refused identity.revoked',
      async ({ hotel, mesh }) => hotel.node.acceptOrder(await mesh.issuer.order('revoke', 'acme/desk')),
    ],
    [
      'the policy denies it now',
      'refused policy.denied',
      ({ hotel }) =>
        hotel.node.reloadPolicy([
          {
            file: 'closed.yaml',
            text: 'apiVersion: parley/v1\nname: closed\ndefault: allow\nrules:\n  - name: none\n    effect: deny\n    when: action == "rooms:reserve"\n',
          },
        ]),
    ],
  ]
  it.each(bypasses)('is refused when %s: %s', async (_, end, happen) => {
    await using mesh = createTestMesh()
    const site = await openSite(mesh)
    const id = await site.breakOver()
    await happen(site)
    expect(await endOf(site.hotel.node.deadLetters.replay(id))).toBe(end)
    expect(site.hotel.rooms()).toBe(0)
    expect(await site.hotel.node.deadLetters.list()).toMatchObject([{ id, replays: 1 }])
  })

  it("is refused when its sender's credential is over, also by the next life of its node", async () => {
    await using mesh = createTestMesh()
    const { desk, hotel, folder, breakOver } = await openSite(mesh)
    const id = await breakOver()
    await Promise.all([desk.close(), hotel.node.close()])
    hotel.db.close()
    await mesh.clock.advance(86_000_000)
    const next = await openHotel(mesh, folder)
    expect(await endOf(next.node.deadLetters.replay(id))).toBe('refused identity.credential-expired')
    expect(next.rooms()).toBe(0)
  })

  it('is refused when its bytes were changed in the store', async () => {
    await using mesh = createTestMesh()
    const { hotel, folder, breakOver } = await openSite(mesh)
    const id = await breakOver()
    await hotel.node.close()
    hotel.db.close()
    const store = await openSqliteStore({ path: join(folder, 'node.db'), clock: mesh.clock })
    const entry = await store.keyValue.get(`dead-letter/${id}`)
    const letter = JSON.parse(new TextDecoder().decode(entry?.value)) as { evidence: string }
    const evidence = Buffer.from(letter.evidence, 'base64url')
    const at = evidence.lastIndexOf('ann')
    evidence.write('eve', at)
    const changed = { ...letter, evidence: evidence.toString('base64url') }
    await store.keyValue.put(`dead-letter/${id}`, new TextEncoder().encode(JSON.stringify(changed)))
    await store.close()
    const next = await openHotel(mesh, folder)
    expect(await endOf(next.node.deadLetters.replay(id))).toBe('refused identity.signature-invalid')
    expect(next.rooms()).toBe(0)
  })

  it('is shown to whoever may read, and replayed and dropped by people alone', async () => {
    await using mesh = createTestMesh()
    const { desk, hotel, breakOver } = await openSite(mesh)
    const id = await breakOver()
    const to = { to: 'acme/hotel' } as const
    expect(await desk.call(deadLetterContract.list, {}, to)).toMatchObject({ letters: [{ id }] })
    expect(await desk.call(deadLetterContract.show, { id }, to)).toMatchObject({ letter: { input: { guest: 'ann' } } })
    for (const capability of [deadLetterContract.replay, deadLetterContract.drop] as const)
      expect(await endOf(desk.tryCall(capability, { id }, to))).toBe('refused trust.below-threshold')
    expect(await hotel.node.deadLetters.drop(id)).toBe(true)
    expect(await desk.tryCall(deadLetterContract.show, { id }, to)).toMatchObject({
      kind: 'declined',
      error: { name: 'unknown', details: { id } },
    })
  })
})
