import { defineContract, type MeshNode } from '@parley/mesh'
import {
  createHumanVerifier,
  createSagas,
  defineSaga,
  sagaContract,
  sagaPurpose,
  serveSagas,
  signal,
  step,
  wait,
  type Sagas,
} from '@parley/saga'
import { createAnchors, generateInstanceKeys, createLocalIssuer, signDeclaration } from '@parley/identity'
import { createTestMesh, type TestMesh } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const hotels = defineContract('hotels', {
  reserve: {
    input: z.object({ guest: z.string() }),
    output: z.object({ room: z.number() }),
    risk: 'reversible',
    undo: true,
  },
})

const stay = defineSaga(
  'stay',
  { version: 1, input: z.object({ guest: z.string() }) },
  step('room', { do: hotels.reserve, to: ['acme/hotel'], input: ({ saga }) => ({ guest: saga.guest }) }),
  wait('paid', signal(z.object({ cents: z.int() }))),
)

interface Site {
  readonly mesh: TestMesh
  readonly desk: Sagas
  readonly guest: MeshNode
  readonly declare: (content: Readonly<Record<string, unknown>>) => Promise<string>
}

/** A desk that serves its sagas, somebody who asks about them, and a person of another owner. */
async function openSite(mesh: TestMesh, guestCalls = sagaContract.capabilities): Promise<Site> {
  const { clock, random } = mesh
  await mesh.node('acme/hotel', {
    serves: [hotels],
    serve: (node) => {
      node.serve(hotels, {
        reserve: { do: () => ({ room: 7 }), undo: () => undefined, lookup: () => ({ found: 'absent' }) },
      })
    },
  })
  const staff = createLocalIssuer({
    alias: 'staff',
    clock,
    random,
    allow: { 'staff/ann': { serves: [], calls: [], human: 2 } },
  })
  let desk: Sagas | undefined
  await mesh.node('acme/desk', {
    calls: hotels.capabilities,
    serves: [sagaContract],
    serve: (node) => {
      const verifyHuman = createHumanVerifier({
        anchors: createAnchors([staff.anchor]),
        now: clock.now,
        owner: node.owner,
        deciders: [staff.owner],
      })
      desk = createSagas(node, { definitions: [stay], verifyHuman })
      node.serve(sagaContract, serveSagas(desk))
    },
  })
  if (!desk) throw new TypeError('the node did not ask for what it serves')
  const guest = await mesh.node('acme/guest', { calls: guestCalls })
  const keys = generateInstanceKeys(random)
  const issued = await staff.issue({ name: 'staff/ann', instance: keys.signer.did, serves: [], calls: [] })
  return {
    mesh,
    desk,
    guest,
    declare: (content) =>
      signDeclaration(
        { signer: keys.signer, ...issued },
        { id: 'd1', purpose: sagaPurpose, content, issuedAtMs: clock.now(), expiresAtMs: clock.now() + 60_000 },
      ),
  }
}

describe('saga:* served by a node', () => {
  it('tells, follows and signals from another agent, under its name', async () => {
    await using mesh = createTestMesh()
    const { desk, guest } = await openSite(mesh)
    await using _closed = desk
    await desk.start(stay, { guest: 'ada' }, { id: 't' })
    await mesh.clock.advance(1_000)
    const state = guest.tryCall(sagaContract.state, { id: 't' }, { to: 'acme/desk' })
    await mesh.clock.advance(100)
    expect(await state).toMatchObject({
      kind: 'ok',
      output: { view: { status: 'waiting', waiting: { for: 'signal' } } },
    })
    const followed = guest.stream(sagaContract.follow, { id: 't', from: 3 }, { to: 'acme/desk', deadlineMs: 60_000 })
    const types: string[] = []
    const reading = (async () => {
      for await (const { event } of followed) types.push(event.type)
    })()
    await mesh.clock.advance(100)
    const signalled = guest.tryCall(
      sagaContract.signal,
      { id: 't', name: 'paid', value: { cents: 1 } },
      { to: 'acme/desk' },
    )
    await mesh.clock.advance(1_000)
    expect(await signalled).toMatchObject({ kind: 'ok' })
    await reading
    expect(types).toEqual(['intended', 'receipt', 'committed', 'wait-opened', 'signalled', 'completed'])
    const { events } = await desk.show('t')
    expect(events.find(({ event }) => event.type === 'signalled')?.event).toMatchObject({ by: 'acme/guest' })
  })

  it('refuses an agent that was not granted it, and says what is wrong to one that was', async () => {
    await using mesh = createTestMesh()
    const { desk, guest } = await openSite(mesh, [sagaContract.state])
    await using _closed = desk
    const unknown = guest.tryCall(sagaContract.state, { id: 'nobody' }, { to: 'acme/desk' })
    const cancel = guest.tryCall(sagaContract.cancel, { id: 'nobody', reason: '' }, { to: 'acme/desk' })
    await mesh.clock.advance(1_000)
    expect(await unknown).toMatchObject({
      kind: 'declined',
      error: { name: 'refused', details: { code: 'saga.unknown' } },
    })
    expect(await cancel).toMatchObject({ kind: 'refused' })
  })

  it('takes the decision of a person, whoever brings it, and of nobody else', async () => {
    await using mesh = createTestMesh()
    const { desk, guest, declare } = await openSite(mesh)
    await using _closed = desk
    const run = await desk.start(stay, { guest: 'ada' }, { id: 't' })
    await mesh.clock.advance(1_000)
    const content = { agent: 'acme/desk', saga: 't', decision: 'cancel', reason: 'changed plans' }
    const token = await declare(content)
    const forged = `${token.slice(0, -8)}AAAAAAAA`
    for (const [declaration, expected] of [
      [forged, { kind: 'declined' }],
      [token, { kind: 'ok' }],
    ] as const) {
      const decided = guest.tryCall(sagaContract.decide, { declaration }, { to: 'acme/desk' })
      await mesh.clock.advance(2_000)
      expect(await decided).toMatchObject(expected)
    }
    expect(run.state()).toMatchObject({ status: 'compensated', turned: { reason: 'changed plans' } })
    const { events } = await desk.show('t')
    expect(events.flatMap(({ event }) => (event.type === 'decided' ? [event] : []))).toMatchObject([
      { by: 'staff/ann', declaration: token },
    ])
  })
})
