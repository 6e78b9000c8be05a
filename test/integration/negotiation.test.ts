import { formatInboxSubject } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { createRogue, type Rogue } from './rogue.ts'
import { openShop, shop, type ShopMesh } from './shop.ts'
import { createStranger } from './stranger.ts'
import { readHeaders, tapWire } from './wire.ts'

/** What a welcome says, in place of version 1, suite 1 and lists of these. */
type Welcome = Readonly<Record<string, unknown>>

/** Lets a played shop welcome the desk as given, and tells how the desk's call ends. */
async function welcomeDesk(
  open: ShopMesh,
  changes: Welcome,
): Promise<{ readonly rogue: Rogue; readonly ended: unknown }> {
  const rogue = await createRogue(open.mesh, 'acme/played', { serves: ['shop:buy'] })
  await rogue.emit('card', { boot: 'b', serves: { 'shop:buy': shop.buy.hash }, leaving: false })
  const call = open.desk.tryCall(shop.buy, { item: 'lamp' }, { to: 'acme/played', deadlineMs: 500 })
  await open.mesh.clock.settle()
  const { header } = rogue.hello({ type: 'welcome', inReplyTo: rogue.last().leaf, version: 1, suite: 1, ...changes })
  await rogue.send(open.desk.instance, { header })
  await open.mesh.clock.advance(500)
  return { rogue, ended: await call }
}

describe('a welcome', () => {
  it.each([
    ['chooses another version', { version: 2 }, 'iatp.downgraded'],
    ['chooses an older version', { version: 0 }, 'iatp.downgraded'],
    ['chooses another suite', { suite: 2 }, 'iatp.downgraded'],
    ['chooses a weaker suite', { suite: 0 }, 'iatp.downgraded'],
    ['strips our suite from its list', { suites: [0, 2] }, 'iatp.suite-unsupported'],
    ['strips all suites', { suites: [] }, 'iatp.suite-unsupported'],
    ['strips our version from its list', { versions: [2] }, 'iatp.version-unsupported'],
  ])('that %s opens no session', async (_, changes, code) => {
    await using open = await openShop()
    const { rogue, ended } = await welcomeDesk(open, changes)
    expect(ended).toMatchObject({ kind: 'refused', code, hop: { sent: false, refusedBy: 'seal' } })
    expect(rogue.inbox.map(({ header }) => header.type)).toEqual(['hello'])
  })

  it('with longer lists than ours settles for the best of both', async () => {
    await using open = await openShop()
    const { rogue } = await welcomeDesk(open, { versions: [9, 1], suites: [7, 1, 3] })
    const [ready] = rogue.inbox.filter(({ header }) => header.type === 'ready')
    expect(ready?.header).toMatchObject({ version: 1, suite: 1 })
  })
})

describe('a ready', () => {
  it.each([
    ['version', { version: 2 }],
    ['suite', { suite: 0 }],
  ])('that confirms another %s than the welcome chose opens no session', async (_, changes) => {
    await using open = await openShop()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const [helloLeaf = ''] = await rogue.send(open.counter.instance, rogue.hello())
    const welcome = rogue.last()
    expect(welcome.header).toMatchObject({ type: 'welcome', inReplyTo: helloLeaf, version: 1, suite: 1 })
    const session = rogue.sessionOf(helloLeaf, welcome.leaf)
    const header = { type: 'ready', session, inReplyTo: welcome.leaf, version: 1, suite: 1 }
    await rogue.send(open.counter.instance, { header: { ...header, ...changes } })
    // The place is gone: a second, sound one does not open it either.
    await rogue.send(open.counter.instance, { header })
    await rogue.send(open.counter.instance, rogue.request(session, 1, shop.buy, { body: { item: 'x' } }))
    expect(rogue.last().body).toMatchObject({ outcome: { code: 'iatp.session-unknown' } })
    const refused = open.mesh.recordsOf(open.counter).filter(({ type }) => type === 'ready')
    expect(refused.map(({ code }) => code)).toEqual(['iatp.downgraded', 'iatp.handshake-failed'])
  })
})

describe('a hello', () => {
  it.each([
    [[], [1], 'iatp.version-unsupported'],
    [[2], [1], 'iatp.version-unsupported'],
    [[1], [], 'iatp.suite-unsupported'],
    [[1], [2, 3], 'iatp.suite-unsupported'],
  ])('with versions %j and suites %j is refused', async (versions, suites, code) => {
    await using open = await openShop()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    await rogue.send(open.counter.instance, rogue.hello({ versions, suites }))
    expect(rogue.last()).toMatchObject({ header: { type: 'refusal' }, body: { outcome: { kind: 'refused', code } } })
  })

  it('whose suites somebody on the wire strips or swaps fails its proof, and the call is refused', async () => {
    await using open = await openShop()
    const wire = tapWire(open.mesh.bus)
    open.mesh.bus.inject({
      kind: 'drop',
      when: (unit) => readHeaders(unit).some(({ type, suites }) => type === 'hello' && suites?.includes(1) === true),
    })
    const call = open.desk.tryCall(shop.buy, { item: 'lamp' }, { deadlineMs: 200 })
    await open.mesh.clock.settle()
    const { subject, data } = wire.unitOf('hello')
    const altered = Buffer.from(data)
    altered.write('"suites":[0]', altered.indexOf('"suites":[1]'))
    const stranger = createStranger(open.mesh)
    stranger.transport.publish(subject, altered)
    await open.mesh.clock.advance(1_001)
    expect(await call).toMatchObject({ kind: 'refused', code: 'iatp.handshake-failed', hop: { sent: false } })
    const rejected = open.mesh.recordsOf(open.counter).filter(({ kind }) => kind === 'rejected')
    expect(rejected.map(({ codes }) => codes)).toEqual([['identity.signature-invalid=1']])
  })
})

describe('a frame', () => {
  it.each([
    ['version', 4, 'iatp.version-unsupported'],
    ['suite', 5, 'iatp.suite-unsupported'],
  ])('of another %s than was negotiated is refused before its proof', async (_, at, code) => {
    await using open = await openShop()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const session = await rogue.shake(open.counter.instance)
    const request = rogue.request(session, 1, shop.buy, { body: { item: 'x' } })
    const { bytes } = await rogue.frame([{ ...request, header: { ...request.header, to: open.counter.instance } }])
    const before = rogue.inbox.length
    for (const number of [0, 2, 255])
      await rogue.publish(formatInboxSubject('main', open.counter.instance, rogue.did), bytes.with(at, number))
    expect(rogue.inbox.length).toBe(before)
    await open.mesh.clock.advance(1_001)
    const rejected = open.mesh.recordsOf(open.counter).filter(({ kind }) => kind === 'rejected')
    expect(rejected.map(({ codes }) => codes)).toEqual([[`${code}=3`]])
  })
})
