import { defineContract, type MeshNode } from '@parley/mesh'
import { createSagas, defineSaga, step, type Sagas } from '@parley/saga'
import { createTestMesh, type TestMesh } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const hotels = defineContract('hotels', {
  reserve: { input: z.object({}), output: z.object({ room: z.number() }), risk: 'reversible', undo: true },
})
const stay = defineSaga(
  'stay',
  { version: 1, input: z.object({}) },
  step('room', { do: hotels.reserve, to: ['acme/hotel'], deadlineMs: 60_000, input: () => ({}) }),
)

async function openDesk(mesh: TestMesh, store?: MeshNode['store']): Promise<{ node: MeshNode; sagas: Sagas }> {
  let sagas: Sagas | undefined
  const node = await mesh.node('acme/desk', {
    calls: hotels.capabilities,
    serve: (own) => {
      // Two nodes of one process keep their own trust and log; their sagas are in one store.
      const seen = store ? (Object.create(own, { store: { value: store } }) as MeshNode) : own
      sagas = createSagas(seen, { definitions: [stay], mailbox: true })
    },
  })
  if (!sagas) throw new TypeError('the node did not ask for what it serves')
  return { node, sagas }
}

describe('a saga with a mailbox', () => {
  it('keeps a receipt of each step, with what both sides signed', async () => {
    await using mesh = createTestMesh()
    const hotel = await mesh.node('acme/hotel', {
      serves: [hotels],
      serve: (node) => {
        node.serve(hotels, {
          reserve: { do: () => ({ room: 7 }), undo: () => undefined, lookup: () => ({ found: 'absent' }) },
        })
      },
    })
    const { node, sagas } = await openDesk(mesh)
    await using _closed = sagas
    const run = await sagas.start(stay, {}, { id: 't' })
    await mesh.clock.advance(2_000)
    expect(run.state().status).toBe('completed')
    const { events } = await sagas.show('t')
    const sent = events.flatMap(({ event }) => (event.type === 'sent' ? [event] : []))
    const receipts = events.flatMap(({ event }) => (event.type === 'receipt' ? [event] : []))
    expect(sent).toMatchObject([{ step: 'room', phase: 'do', attempt: 1, epoch: 1, instance: hotel.instance }])
    expect(receipts).toHaveLength(1)
    expect(receipts[0]).toMatchObject({
      step: 'room',
      phase: 'do',
      command: { header: { from: node.instance, saga: { id: 't', step: 'room' } } },
      answer: { header: { type: 'reply', from: hotel.instance, inReplyTo: sent[0]?.leaf, ended: 'ok' } },
    })
  })

  it('T10: settles a step at the instance that took the saga over, by an outcome of what the one before sent', async () => {
    await using mesh = createTestMesh()
    const done = Promise.withResolvers<undefined>()
    let lookups = 0
    await mesh.node('acme/hotel', {
      serves: [hotels],
      serve: (node) => {
        node.serve(hotels, {
          reserve: {
            do: async () => (await done.promise, { room: 7 }),
            undo: () => undefined,
            lookup: (hop) => (lookups++, hop.fail({ retryable: true })),
          },
        })
      },
    })
    const first = await openDesk(mesh)
    const second = await openDesk(mesh, first.node.store)
    await using _closed = second.sagas
    await first.sagas.start(stay, {}, { id: 't' })
    await mesh.clock.advance(1_000)
    await first.sagas.close()
    const resumed = second.sagas.resume()
    await mesh.clock.advance(1_000)
    await resumed
    const run = await second.sagas.attach('t')
    expect(run.state().steps).toMatchObject({ room: { status: 'unknown' } })
    done.resolve(undefined)
    await mesh.clock.advance(1_000)
    expect(run.state()).toMatchObject({ status: 'completed', epoch: 2 })
    expect(lookups).toBeGreaterThan(0)
    const { events } = await second.sagas.show('t')
    expect(events.find(({ event }) => event.type === 'committed')?.event).toMatchObject({
      by: 'mailbox',
      output: { room: 7 },
    })
  })
})
