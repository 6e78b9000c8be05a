import type { CallOptions, Outcome } from '@parley/mesh'
import { formatInboxSubject } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { createRogue, type Received, type Rogue } from './rogue.ts'
import { openShop, shop, type ShopMesh } from './shop.ts'
import { readHeaders, tapWire } from './wire.ts'

interface Asked extends ShopMesh {
  /** Plays the shop by hand, so that it can answer whatever it wants. */
  readonly shop: Rogue
  /** Calls `shop:buy` of the played shop; resolves with its request and the call that waits. */
  call(
    options?: Pick<CallOptions, 'signal' | 'saga'>,
  ): Promise<{ readonly request: Received; readonly outcome: Promise<Outcome> }>
}

async function openAsked(): Promise<Asked> {
  const open = await openShop()
  const { mesh, desk } = open
  const played = await createRogue(mesh, 'acme/played', { serves: ['shop:buy'] })
  await played.emit('card', { boot: 'b', serves: { 'shop:buy': shop.buy.hash }, leaving: false })
  return {
    ...open,
    shop: played,
    async call(options) {
      const outcome = desk.tryCall(shop.buy, { item: 'x' }, { to: 'acme/played', deadlineMs: 1_000, ...options })
      await mesh.clock.settle()
      const first = played.last()
      if (first.header.type === 'hello') {
        const { header } = played.hello()
        await played.send(desk.instance, {
          header: { ...header, type: 'welcome', inReplyTo: first.leaf, version: 1, suite: 1 },
        })
      }
      return { request: played.last(), outcome }
    },
    [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
  }
}

const lie = { outcome: { kind: 'ok', output: { receipt: 'forged' } } }
const reply = (request: Received, counter: number): { readonly header: Readonly<Record<string, unknown>> } => ({
  header: { type: 'reply', session: request.header.session, counter, inReplyTo: request.leaf },
})

describe('an answer', () => {
  it('of the right instance in the right session settles the call: what the attacks below start from', async () => {
    await using open = await openAsked()
    const { request, outcome } = await open.call()
    await open.shop.send(open.desk.instance, { ...reply(request, 1), body: lie })
    expect(await outcome).toMatchObject({ kind: 'ok', output: { receipt: 'forged' } })
  })

  it.each(['welcome', 'accepted', 'progress', 'completed', 'part', 'closed', 'ready', 'cancel', 'refusal'])(
    'of type %s never says that something was done',
    async (type) => {
      await using open = await openAsked()
      const { request, outcome } = await open.call()
      const { header } = open.shop.hello()
      const { session } = request.header
      await open.shop.send(open.desk.instance, {
        header: { ...header, type, session, counter: 1, inReplyTo: request.leaf },
        body: lie,
      })
      await open.mesh.clock.advance(1_000)
      expect((await outcome).kind).toBe('unknown')
    },
  )

  it.each([
    ['ok', 'ok'],
    ['declined', 'unknown'],
    ['found-ok', 'unknown'],
    [undefined, 'unknown'],
  ])('to a command of a saga that says %s beside its body, which says ok, ends %s', async (ended, kind) => {
    await using open = await openAsked()
    const saga = { id: 's', step: 'a', attempt: 1, epoch: 1, key: 'k', phase: 'do', expiresAtMs: 1 } as const
    const { request, outcome } = await open.call({ saga })
    const { header } = reply(request, 1)
    await open.shop.send(open.desk.instance, { header: { ...header, ended }, body: lie })
    const settled = await outcome
    expect(settled.kind).toBe(kind)
    expect(settled.hop.receipt === undefined).toBe(false)
  })

  it('swapped between two calls settles neither with what is meant for the other', async () => {
    await using open = await openAsked()
    const one = await open.call()
    const two = await open.call()
    expect(one.request.leaf).not.toBe(two.request.leaf)
    const answer = (receipt: string) => ({ outcome: { kind: 'ok', output: { receipt } } })
    await open.shop.send(open.desk.instance, { ...reply(two.request, 1), body: answer('two') })
    await open.shop.send(open.desk.instance, { ...reply(one.request, 2), body: answer('one') })
    expect([await one.outcome, await two.outcome]).toMatchObject([
      { output: { receipt: 'one' } },
      { output: { receipt: 'two' } },
    ])
  })

  it('of another instance of the same name, or with the session of another, settles nothing', async () => {
    await using open = await openAsked()
    const { request, outcome } = await open.call()
    const sibling = await createRogue(open.mesh, 'acme/played', { serves: ['shop:buy'] })
    const session = await sibling.shake(open.desk.instance)
    await sibling.send(open.desk.instance, { ...reply(request, 1), body: lie })
    const mine = { ...reply(request, 2).header, session }
    await sibling.send(open.desk.instance, { header: mine, body: lie })
    await sibling.send(open.desk.instance, {
      header: { type: 'refusal', inReplyTo: request.leaf },
      body: { outcome: { kind: 'refused', code: 'policy.denied', reason: '' } },
    })
    await open.mesh.clock.advance(1_000)
    expect(await outcome).toMatchObject({ kind: 'unknown', code: 'deadline.exceeded' })
  })

  it('to a cancelled call, or for the second time, changes nothing', async () => {
    await using open = await openAsked()
    const controller = new AbortController()
    const { request, outcome } = await open.call({ signal: controller.signal })
    controller.abort()
    await open.mesh.clock.advance(1_000)
    await open.shop.send(open.desk.instance, { ...reply(request, 1), body: lie })
    expect(await outcome).toMatchObject({ kind: 'unknown', code: 'hop.cancelled' })
    const next = await open.call()
    await open.shop.send(
      open.desk.instance,
      { ...reply(next.request, 2), body: { outcome: { kind: 'ok', output: { receipt: 'first' } } } },
      { ...reply(next.request, 3), body: lie },
    )
    expect(await next.outcome).toMatchObject({ output: { receipt: 'first' } })
  })

  it.each<readonly [what: string, body: unknown]>([
    ['nothing', null],
    ['a number', 5],
    ['a list', []],
    ['no outcome', { outcome: null }],
    ['the kind constructor', { outcome: { kind: 'constructor' } }],
    ['the kind __proto__', { outcome: { kind: '__proto__' } }],
    ['the error constructor', { outcome: { kind: 'declined', error: { name: 'constructor', details: {} } } }],
    ['the error __proto__', { outcome: { kind: 'declined', error: { name: '__proto__', details: {} } } }],
    ['the code toString', { outcome: { kind: 'failed', code: 'toString' } }],
    ['the code hasOwnProperty', { outcome: { kind: 'unknown', code: 'hasOwnProperty' } }],
    ['a refusal that is no refusal', { outcome: { kind: 'refused', code: 'policy.denied' } }],
    ['an output of another schema', { outcome: { kind: 'ok', output: { receipt: 5 } } }],
    ['deep nesting', new TextEncoder().encode('['.repeat(200_000))],
    ['bytes that are no text', Uint8Array.of(0xff, 0xfe)],
  ])('with %s for a body leaves the call unknown', async (_, body) => {
    await using open = await openAsked()
    const { request, outcome } = await open.call()
    await open.shop.send(open.desk.instance, { ...reply(request, 1), body })
    expect(await outcome).toMatchObject({ kind: 'unknown', code: 'contract.output-invalid' })
  })

  it('lost for its own session is not: calls in flight survive the renewal of a credential', async () => {
    const ends: (() => void)[] = []
    await using open = await openShop({
      buy: async ({ item }) => {
        if (item === 'slow') await new Promise<void>((resolve) => ends.push(resolve))
        return { receipt: item }
      },
    })
    const wire = tapWire(open.mesh.bus)
    await open.mesh.clock.advance(590_000)
    const slow = open.desk.tryCall(shop.buy, { item: 'slow' }, { deadlineMs: 60_000 })
    await open.mesh.clock.advance(20_000)
    const hellos = (): number => wire.headers().filter(({ type }) => type === 'hello').length
    const before = hellos()
    expect((await open.buy('fast')).kind).toBe('ok')
    expect(hellos()).toBe(before + 1)
    for (const end of ends) end()
    await open.mesh.clock.settle()
    expect(await slow).toMatchObject({ kind: 'ok', output: { receipt: 'slow' } })
  })
})

describe('a cancel', () => {
  it('of a call of somebody else aborts nothing', async () => {
    const seen: AbortSignal[] = []
    const ends: (() => void)[] = []
    await using open = await openShop({
      buy: async (_, hop) => {
        seen.push(hop.signal)
        await new Promise<void>((resolve) => ends.push(resolve))
        return { receipt: 'r' }
      },
    })
    const wire = tapWire(open.mesh.bus)
    const call = open.buy()
    await open.mesh.clock.settle()
    const rogue = await createRogue(open.mesh, 'acme/desk')
    const session = await rogue.shake(open.counter.instance)
    const unit = wire.unitOf('request')
    const [theirs] = readHeaders(unit).filter(({ type }) => type === 'request')
    for (const stolen of [session, theirs?.session])
      for (const inReplyTo of wire.headers().flatMap(({ inReplyTo: leaf }) => leaf ?? []))
        await rogue.send(open.counter.instance, {
          header: { type: 'cancel', session: stolen, counter: 5, inReplyTo },
        })
    expect(seen.map(({ aborted }) => aborted)).toEqual([false])
    for (const end of ends) end()
    await open.mesh.clock.settle()
    expect((await call).kind).toBe('ok')
  })
})

describe('a ready', () => {
  it('without a handshake, of another, or twice, opens no session', async () => {
    await using open = await openShop()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const other = await createRogue(open.mesh, 'acme/other')
    const [helloLeaf] = await other.send(open.counter.instance, other.hello())
    const welcome = other.last()
    expect(welcome.header.inReplyTo).toBe(helloLeaf)
    const session = 'A'.repeat(43)
    await rogue.send(open.counter.instance, {
      header: { type: 'ready', session, inReplyTo: welcome.leaf, version: 1, suite: 1 },
    })
    await rogue.send(open.counter.instance, rogue.request(session, 1, shop.buy, { body: { item: 'x' } }))
    expect(rogue.last().body).toMatchObject({ outcome: { kind: 'refused', code: 'iatp.session-unknown' } })
    const sound = await rogue.shake(open.counter.instance)
    await rogue.send(open.counter.instance, {
      header: { type: 'ready', session: sound, inReplyTo: welcome.leaf, version: 1, suite: 1 },
    })
    await open.mesh.clock.advance(1_001)
    const refused = open.mesh.recordsOf(open.counter).filter(({ type }) => type === 'ready')
    expect(refused.map(({ code }) => code)).toEqual(['iatp.handshake-failed', 'iatp.handshake-failed'])
  })
})

describe('a request', () => {
  it('replayed at a sibling instance, after a restart, and in a bundle of copies runs once', async () => {
    let ran = 0
    const serves = {
      buy: () => {
        ran += 1
        return { receipt: 'r' }
      },
    }
    await using open = await openShop(serves)
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const session = await rogue.shake(open.counter.instance)
    const request = rogue.request(session, 1, shop.buy, { body: { item: 'x' } })
    await rogue.send(open.counter.instance, ...Array.from({ length: 64 }, () => request))
    expect(ran).toBe(1)
    const { bytes } = await rogue.frame([{ ...request, header: { ...request.header, to: open.counter.instance } }])
    await open.counter.close()
    const again = await open.mesh.node('acme/shop', {
      serves: [shop],
      serve: (node) => {
        node.serve(shop, { look: () => ({ cents: 1 }), burn: () => ({}), wipe: () => ({}), ...serves })
      },
    })
    await rogue.publish(formatInboxSubject('main', again.instance, rogue.did), bytes)
    await rogue.send(again.instance, request)
    expect(rogue.last().body).toMatchObject({ outcome: { code: 'iatp.session-unknown' } })
    expect(ran).toBe(1)
    expect((await open.buy()).kind).toBe('ok')
  })
})
