import { defineContract, type MeshNode } from '@parley/mesh'
import { createSagas, defineSaga, step, type Sagas } from '@parley/saga'
import { createTestMesh, type TestMesh } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createRogue, type Received, type Rogue } from './rogue.ts'

const rooms = defineContract('rooms', {
  book: { input: z.object({}), output: z.object({ room: z.number() }), risk: 'reversible', undo: true },
})
const stayAt = (name: string, at: `${string}/${string}`) =>
  defineSaga(
    name,
    { version: 1, input: z.object({}) },
    step('room', { do: rooms.book, to: [at], deadlineMs: 5_000, input: () => ({}) }),
  )
const trusting = stayAt('trusting', 'acme/played')
const sound = stayAt('sound', 'acme/hotel')

interface BadHouse {
  readonly desk: MeshNode
  readonly sagas: Sagas
  readonly played: Rogue
  /** The last command that came to the played participant. */
  command(): Received
  /** Answers it by hand. */
  answer(body: unknown, header?: Readonly<Record<string, unknown>>): Promise<void>
}

/** A desk with an honest hotel, and a participant that answers by hand whatever it wants. */
async function openBadHouse(mesh: TestMesh): Promise<BadHouse> {
  await mesh.node('acme/hotel', {
    serves: [rooms],
    serve: (node) => {
      node.serve(rooms, {
        book: { do: () => ({ room: 1 }), undo: () => undefined, lookup: () => ({ found: 'absent' }) },
      })
    },
  })
  const desk = await mesh.node('acme/desk', { calls: rooms.capabilities })
  const played = await createRogue(mesh, 'acme/played', { serves: ['rooms:book'] })
  const announce = (): Promise<void> =>
    played.emit('card', { boot: 'b', serves: { 'rooms:book': rooms.book.hash }, leaving: false })
  await announce()
  let counter = 0
  const house: BadHouse = {
    desk,
    sagas: createSagas(desk, { definitions: [trusting, sound] }),
    played,
    command() {
      const command = played.inbox.findLast(({ header }) => header.type === 'request')
      if (!command) throw new TypeError('nothing was asked yet')
      return command
    },
    async answer(body, header = {}) {
      const { header: asked, leaf } = house.command()
      await announce()
      const { outcome } = Object(body) as { readonly outcome?: { readonly kind?: string } }
      const isLookup = (asked.saga as { readonly phase?: string } | undefined)?.phase === 'lookup'
      const ended = isLookup ? 'found-ok' : outcome?.kind === 'declined' ? 'declined' : 'ok'
      await played.send(desk.instance, {
        header: { type: 'reply', session: asked.session, counter: ++counter, inReplyTo: leaf, ended, ...header },
        body,
      })
    },
  }
  return house
}

/** Starts both sagas, and lets the played participant shake hands. */
async function startBoth(mesh: TestMesh, house: BadHouse): Promise<void> {
  await house.sagas.start(trusting, {}, { id: 'a' })
  await mesh.clock.settle()
  const { played, desk } = house
  if (played.last().header.type === 'hello')
    await played.send(
      desk.instance,
      played.hello({ type: 'welcome', inReplyTo: played.last().leaf, version: 1, suite: 1 }),
    )
  await house.sagas.start(sound, {}, { id: 'b' })
  await mesh.clock.settle()
}

const stateOf = async ({ sagas }: BadHouse, id: string) => (await sagas.show(id)).view

describe('a participant that answers badly', () => {
  it.each<[string, unknown]>([
    ['no outcome', 'done, believe me'],
    ['an outcome of no kind', { outcome: { kind: 'splendid' } }],
    ['an output that its contract does not know', { outcome: { kind: 'ok', output: { room: 'seven' } } }],
    [
      'an error that its contract does not declare',
      { outcome: { kind: 'declined', error: { name: 'tired', details: {} } } },
    ],
    ['bytes that are no JSON', new Uint8Array([0xff, 0x00, 0x7b])],
  ])('with %s leaves the step unknown, is asked again, and holds up nobody else', async (_, body) => {
    await using mesh = createTestMesh()
    const house = await openBadHouse(mesh)
    await using sagas = house.sagas
    await startBoth(mesh, house)
    expect(await stateOf(house, 'b')).toMatchObject({ status: 'completed' })
    expect(house.command().header.saga).toMatchObject({ id: 'a', phase: 'do' })
    await house.answer(body)
    await mesh.clock.advance(1_000)
    const { steps } = await stateOf(house, 'a')
    expect(steps['room']).toMatchObject({
      status: 'unknown',
      code: expect.stringMatching(/^[a-z]+\.[a-z-]+$/) as string,
    })
    expect(house.command().header.saga).toMatchObject({ id: 'a', phase: 'lookup' })
    await house.answer({ outcome: { kind: 'ok', output: { found: 'ok', output: { room: 7 } } } })
    await mesh.clock.advance(1_000)
    expect((await sagas.attach('a')).state()).toMatchObject({ status: 'completed' })
  })

  it('in the name of another saga settles neither: that one was never its to answer', async () => {
    await using mesh = createTestMesh()
    const house = await openBadHouse(mesh)
    await using _closed = house.sagas
    await startBoth(mesh, house)
    const { saga } = house.command().header
    const done = { outcome: { kind: 'ok', output: { room: 7 } } }
    // The leaf of a command to somebody else, and the right leaf with the command of another saga beside it.
    await house.answer(done, { inReplyTo: 'A'.repeat(43) })
    await house.answer(done, { saga: { ...saga, id: 'b' } })
    await mesh.clock.advance(500)
    expect(await stateOf(house, 'b')).toMatchObject({ status: 'completed', epoch: 1 })
    const { steps } = await stateOf(house, 'a')
    expect(steps['room']).toMatchObject({ status: 'unknown', code: 'contract.output-invalid' })
    expect(house.command().header.saga).toMatchObject({ id: 'a', phase: 'lookup' })
  })
})
