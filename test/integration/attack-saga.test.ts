import type { DatabaseSync } from 'node:sqlite'
import { defineContract, type MeshNode, type SagaCommand } from '@parley/mesh'
import { createParticipant } from '@parley/saga'
import { openParticipantDatabase, openSqliteInbox, withTransaction } from '@parley/store-sqlite'
import { createTestMesh, type TestMesh } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createRogue, type Rogue } from './rogue.ts'

const rooms = defineContract('rooms', {
  take: {
    input: z.object({ room: z.string() }),
    output: z.object({ room: z.string() }),
    risk: 'reversible',
    undo: true,
  },
  paint: {
    input: z.object({ room: z.string() }),
    output: z.object({ room: z.string() }),
    risk: 'reversible',
    undo: true,
  },
})

interface House extends AsyncDisposable {
  readonly mesh: TestMesh
  readonly house: MeshNode
  readonly travel: MeshNode
  readonly did: string[]
  /** Sends a command of the honest orchestrator. */
  command(command?: Partial<SagaCommand>): Promise<unknown>
  /** Sends a command with any fields as somebody else. */
  forge(rogue: Rogue, saga: Readonly<Record<string, unknown>>): Promise<unknown>
}

async function openHouse(): Promise<House> {
  const mesh = createTestMesh()
  const did: string[] = []
  const database: DatabaseSync = openParticipantDatabase(':memory:')
  const participant = createParticipant({
    inbox: openSqliteInbox(database),
    transaction: (run) => withTransaction(database, run),
    clock: mesh.clock,
  })
  const house = await mesh.node('acme/house', {
    serves: [rooms],
    serve: (node) => {
      node.serve(rooms, {
        take: participant.serve(rooms.take, {
          do: (_, { room }) => {
            did.push(`take ${room}`)
            return { room }
          },
          undo: () => {
            did.push('leave')
          },
        }),
        paint: participant.serve(rooms.paint, {
          do: (_, { room }) => ({ room }),
          undo: () => {
            did.push('scrape')
          },
        }),
      })
    },
  })
  const travel = await mesh.node('acme/travel', { calls: [rooms.take, rooms.paint] })
  const sound = (): SagaCommand => ({
    id: 'trip',
    step: 'room',
    attempt: 1,
    epoch: 1,
    key: 'trip/room',
    phase: 'do',
    expiresAtMs: mesh.clock.now() + 3_600_000,
  })
  const sessions = new Map<Rogue, string>()
  let counter = 0
  return {
    mesh,
    house,
    travel,
    did,
    command: (command = {}) => travel.tryCall(rooms.take, { room: 'one' }, { saga: { ...sound(), ...command } }),
    async forge(rogue, saga) {
      const session = sessions.get(rogue) ?? (await rogue.shake(house.instance))
      sessions.set(rogue, session)
      counter += 1
      const header = { saga: { ...sound(), ...saga } }
      await rogue.send(house.instance, rogue.request(session, counter, rooms.take, { header, body: { room: 'two' } }))
      await mesh.clock.settle()
      return (rogue.last().body as { readonly outcome: unknown }).outcome
    },
    [Symbol.asyncDispose]: () => mesh.close(),
  }
}

describe('a saga of another name', () => {
  it('cannot be fenced off by a huge epoch, buried, read or undone', async () => {
    await using open = await openHouse()
    const rogue = await createRogue(open.mesh, 'acme/rogue', { calls: ['rooms:*'] })
    const epoch = Number.MAX_SAFE_INTEGER
    expect(await open.forge(rogue, { phase: 'undo', epoch })).toMatchObject({ kind: 'ok' })
    expect(await open.forge(rogue, { phase: 'lookup', epoch })).toMatchObject({ output: { found: 'tombstone' } })
    expect(await open.command()).toMatchObject({ kind: 'ok', output: { room: 'one' } })
    expect(await open.forge(rogue, { phase: 'undo', epoch })).toMatchObject({ kind: 'ok' })
    expect(await open.forge(rogue, { phase: 'lookup', epoch, id: 'other' })).toMatchObject({
      output: { found: 'absent' },
    })
    expect(open.did).toEqual(['take one'])
    expect(await open.command({ phase: 'lookup' })).toMatchObject({ output: { found: 'ok', output: { room: 'one' } } })
    expect(await open.command({ phase: 'undo' })).toMatchObject({ kind: 'ok' })
    expect(open.did).toEqual(['take one', 'leave'])
  })

  it('is another one also where ids and keys are joined to look the same', async () => {
    await using open = await openHouse()
    const rogue = await createRogue(open.mesh, 'acme/travel2', { calls: ['rooms:*'] })
    await open.command()
    for (const [id, key] of [
      ['acme/travel trip', 'trip/room'],
      ['trip\u0000trip/room', 'k'],
      ['trip', 'trip/room\u0000'],
      ['__proto__', 'constructor'],
      ["'; DROP TABLE parley_inbox_key; --", '%'],
    ])
      expect(await open.forge(rogue, { id, key, phase: 'undo', epoch: 9 })).toMatchObject({ kind: 'ok' })
    expect(await open.command({ phase: 'lookup' })).toMatchObject({ output: { found: 'ok' } })
    expect(open.did).toEqual(['take one'])
  })
})

describe('a saga command', () => {
  it('that is copied, late, of an old epoch or expired does nothing a second time', async () => {
    await using open = await openHouse()
    expect(await open.command({ epoch: 2 })).toMatchObject({ kind: 'ok' })
    expect(await open.command({ epoch: 2, attempt: 2 })).toMatchObject({ kind: 'ok', output: { room: 'one' } })
    expect(await open.command({ epoch: 1, key: 'trip/late' })).toMatchObject({ code: 'saga.stale-epoch' })
    expect(await open.command({ epoch: 1, phase: 'undo' })).toMatchObject({ code: 'saga.stale-epoch' })
    expect(await open.command({ epoch: 3, phase: 'undo' })).toMatchObject({ kind: 'ok' })
    expect(await open.command({ epoch: 3, attempt: 3 })).toMatchObject({ code: 'saga.tombstoned' })
    expect(await open.command({ epoch: 3, key: 'trip/new', expiresAtMs: 1 })).toMatchObject({
      code: 'saga.command-expired',
    })
    expect(open.did).toEqual(['take one', 'leave'])
  })

  it('without its grant runs neither step nor undo, whatever its own saga is called', async () => {
    await using open = await openHouse()
    const rogue = await createRogue(open.mesh, 'acme/travel', { calls: ['rooms:paint'] })
    await open.command()
    for (const phase of ['do', 'undo', 'lookup'])
      expect(await open.forge(rogue, { phase, epoch: 9 })).toMatchObject({ kind: 'refused' })
    expect(await open.command({ phase: 'lookup' })).toMatchObject({ output: { found: 'ok' } })
    expect(open.did).toEqual(['take one'])
  })

  it('undoes by no other capability than the one that did it', async () => {
    await using open = await openHouse()
    await open.command()
    const saga: SagaCommand = {
      id: 'trip',
      step: 'room',
      attempt: 1,
      epoch: 1,
      key: 'trip/room',
      phase: 'undo',
      expiresAtMs: open.mesh.clock.now() + 3_600_000,
    }
    expect(await open.travel.tryCall(rooms.paint, { room: 'x' }, { saga })).toMatchObject({ kind: 'refused' })
    expect(open.did).toEqual(['take one'])
    expect(await open.command({ phase: 'undo' })).toMatchObject({ kind: 'ok' })
    expect(open.did).toEqual(['take one', 'leave'])
  })
})
