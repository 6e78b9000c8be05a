import { createSeededRandom, type Random } from '@parley/ports'
import { formatInboxSubject, limits } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { createRogue, type Rogue } from './rogue.ts'
import { openShop, shop, soundServes, type ShopMesh } from './shop.ts'
import { readHeaders, tapWire } from './wire.ts'

interface Counted extends ShopMesh {
  /** What the handler was asked for, in order. */
  readonly sold: readonly string[]
}

async function openCounted(more: Parameters<typeof openShop>[1] = {}): Promise<Counted> {
  const sold: string[] = []
  const buy = ({ item }: { readonly item: string }): { readonly receipt: string } => {
    sold.push(item)
    return { receipt: item }
  }
  const open = await openShop({ buy }, more)
  return { ...open, sold, [Symbol.asyncDispose]: () => open[Symbol.asyncDispose]() }
}

const buying = (rogue: Rogue, session: string, counter: number, header = {}): ReturnType<Rogue['request']> =>
  rogue.request(session, counter, shop.buy, { header, body: { item: String(counter) } })

/** Random bytes of which the first 32, an instance's seed, are given. */
function withSeed(seed: Uint8Array, random: Random): Random {
  let isFirst = true
  return {
    float: () => random.float(),
    bytes(length) {
      if (!isFirst || length !== seed.length) return random.bytes(length)
      isFirst = false
      return seed.slice()
    },
  }
}

describe('the replay window', () => {
  it('takes each counter within it once, in any order, and none before it', async () => {
    await using open = await openCounted()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const session = await rogue.shake(open.counter.instance)
    const edge = limits.replayWindow
    const sent = [edge + 1, 1, 2, edge + 1, 2, edge, 2 * edge, edge, edge + 1, edge + 2]
    for (const counter of sent) await rogue.send(open.counter.instance, buying(rogue, session, counter))
    expect(open.sold.map(Number)).toEqual([edge + 1, 2, edge, 2 * edge, edge + 2])
    const refused = (await open.hopsOf(open.counter)).filter(({ code }) => code === 'iatp.replayed')
    expect(refused).toHaveLength(5)
  })

  it('belongs to one session: a sender that burns its own burns nobody else', async () => {
    await using open = await openCounted()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const [burnt, other] = [await rogue.shake(open.counter.instance), await rogue.shake(open.counter.instance)]
    await rogue.send(open.counter.instance, buying(rogue, burnt, Number.MAX_SAFE_INTEGER))
    await rogue.send(open.counter.instance, buying(rogue, burnt, 1))
    await rogue.send(open.counter.instance, buying(rogue, other, 1))
    await rogue.send(open.counter.instance, buying(rogue, other, 1))
    expect(open.sold).toEqual([String(Number.MAX_SAFE_INTEGER), '1'])
    expect((await open.buy()).kind).toBe('ok')
  })

  it('remembers a counter whose request was refused, so that it cannot be tried again', async () => {
    await using open = await openCounted()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const session = await rogue.shake(open.counter.instance)
    await rogue.send(open.counter.instance, buying(rogue, session, 1, { remainingMs: 0 }))
    expect(rogue.last().body).toMatchObject({ outcome: { code: 'deadline.exceeded' } })
    await rogue.send(open.counter.instance, buying(rogue, session, 1))
    expect(open.sold).toEqual([])
  })

  it('is not moved by a counter whose proof or session is not there', async () => {
    await using open = await openCounted()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const session = await rogue.shake(open.counter.instance)
    const thief = await createRogue(open.mesh, 'acme/thief')
    await thief.send(open.counter.instance, buying(thief, session, 9_000))
    await rogue.send(open.counter.instance, buying(rogue, session, 1))
    expect(open.sold).toEqual(['1'])
  })

  it.each([0, -1, 1.5, 2 ** 53])('refuses %d, which is no counter, as no header', async (counter) => {
    await using open = await openCounted()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const session = await rogue.shake(open.counter.instance)
    await rogue.send(open.counter.instance, buying(rogue, session, counter))
    expect(open.sold).toEqual([])
    const codes = open.mesh.recordsOf(open.counter).map(({ code }) => code)
    expect(codes).toContain('iatp.header-invalid')
  })
})

describe('a copy', () => {
  it.each([
    ['at once', 0, 'iatp.replayed'],
    ['at the end of its life', 30_000, 'iatp.replayed'],
    ['within the skew after its life', 30_000 + limits.skewMs, 'iatp.replayed'],
    ['after life and skew', 30_001 + limits.skewMs, 'iatp.lifetime'],
  ])('%s is refused', async (_, laterMs, code) => {
    await using open = await openCounted()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const session = await rogue.shake(open.counter.instance)
    const request = buying(rogue, session, 1)
    const { bytes } = await rogue.frame([{ ...request, header: { ...request.header, to: open.counter.instance } }])
    const subject = formatInboxSubject('main', open.counter.instance, rogue.did)
    await rogue.publish(subject, bytes)
    await open.mesh.clock.advance(laterMs)
    await rogue.publish(subject, bytes)
    expect(open.sold).toEqual(['1'])
    expect((await open.hopsOf(open.counter)).map((hop) => hop['code'])).toEqual([undefined, code])
  })

  it.each([-59_000, 59_000])('of a sender whose clock is %i ms off is refused like any other', async (offMs) => {
    await using open = await openCounted()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const session = await rogue.shake(open.counter.instance)
    const issuedAtMs = open.mesh.clock.now() + offMs
    const times = { issuedAtMs, expiresAtMs: issuedAtMs + 1_000 }
    const request = buying(rogue, session, 1, { ...times, to: open.counter.instance })
    const { bytes } = await rogue.frame([request])
    const subject = formatInboxSubject('main', open.counter.instance, rogue.did)
    await rogue.publish(subject, bytes)
    await rogue.publish(subject, bytes)
    expect(open.sold).toEqual(['1'])
  })

  it('of everything, from both sides, changes no outcome of many calls at the same time', async () => {
    await using open = await openCounted()
    const wire = tapWire(open.mesh.bus)
    open.mesh.bus.inject({ kind: 'duplicate' })
    open.mesh.bus.inject({ kind: 'duplicate' })
    const items = Array.from({ length: 64 }, (_, at) => `item ${String(at)}`)
    const outcomes = await Promise.all(items.map((item) => open.buy(item)))
    expect(outcomes.map(({ kind, output }) => [kind, output])).toEqual(items.map((item) => ['ok', { receipt: item }]))
    expect(open.sold.toSorted()).toEqual(items.toSorted())
    const hops = await open.hopsOf(open.counter)
    expect(hops.filter(({ outcome }) => outcome === 'ok')).toHaveLength(64)
    expect(hops.filter(({ code }) => code === 'iatp.replayed')).toHaveLength(3 * 64)
    // No copy is answered: each request has one answer, published once.
    const replies = wire.headers().filter(({ type }) => type === 'reply' || type === 'refusal')
    expect(replies).toHaveLength(64)
  })

  it('of a request runs at no sibling of the name, under its own subject or the one that was signed', async () => {
    await using open = await openCounted()
    let siblingSold = 0
    const sibling = await open.mesh.node('acme/shop', {
      serves: [shop],
      serve: (node) => {
        node.serve(shop, {
          ...soundServes,
          buy: () => {
            siblingSold += 1
            return { receipt: 'sibling' }
          },
        })
      },
    })
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const session = await rogue.shake(open.counter.instance)
    const request = buying(rogue, session, 1)
    const { bytes } = await rogue.frame([{ ...request, header: { ...request.header, to: open.counter.instance } }])
    await rogue.publish(formatInboxSubject('main', open.counter.instance, rogue.did), bytes)
    await rogue.publish(formatInboxSubject('main', sibling.instance, rogue.did), bytes)
    await rogue.send(sibling.instance, request)
    expect([open.sold, siblingSold]).toEqual([['1'], 0])
    const codes = open.mesh.recordsOf(sibling).flatMap(({ code }) => (code === undefined ? [] : [code]))
    expect(codes).toEqual(['iatp.misaddressed', 'iatp.session-unknown'])
  })
})

describe('a second process with the same key', () => {
  it('is noticed by both, which stop serving; a copy runs at neither, and no session is shared', async () => {
    const seed = new Uint8Array(32).fill(7)
    await using open = await openCounted({ counter: { random: withSeed(seed, createSeededRandom(50)) } })
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const session = await rogue.shake(open.counter.instance)
    const request = buying(rogue, session, 1)
    const { bytes } = await rogue.frame([{ ...request, header: { ...request.header, to: open.counter.instance } }])
    const subject = formatInboxSubject('main', open.counter.instance, rogue.did)
    await rogue.publish(subject, bytes)
    expect(open.sold).toEqual(['1'])
    const twinSold: string[] = []
    const twin = await open.mesh.node('acme/shop', {
      random: withSeed(seed, createSeededRandom(51)),
      serves: [shop],
      serve: (node) => {
        node.serve(shop, {
          ...soundServes,
          buy: ({ item }) => {
            twinSold.push(item)
            return { receipt: item }
          },
        })
      },
    })
    expect(twin.instance).toBe(open.counter.instance)
    await open.mesh.clock.advance(2_500)
    for (const node of [open.counter, twin]) {
      expect(node.health()).toMatchObject({ live: false, ready: false })
      expect(open.mesh.recordsOf(node).filter(({ event }) => event === 'instance-conflict')).toHaveLength(1)
    }
    await rogue.publish(subject, bytes)
    await rogue.send(open.counter.instance, buying(rogue, session, 2))
    expect([open.sold, twinSold]).toEqual([['1'], []])
    const call = open.buy()
    await open.mesh.clock.advance(1_000)
    expect((await call).kind).toBe('refused')
  })
})

describe('a session', () => {
  it('ends with the credential that it was opened with, to the millisecond', async () => {
    await using open = await openCounted()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const session = await rogue.shake(open.counter.instance)
    const [, claims = ''] = rogue.issued.credential.split('.')
    const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { readonly exp: number }
    await open.mesh.clock.advance(exp * 1_000 - open.mesh.clock.now() - 1)
    await rogue.send(open.counter.instance, buying(rogue, session, 1))
    await open.mesh.clock.advance(1)
    await rogue.send(open.counter.instance, buying(rogue, session, 2))
    expect(open.sold).toEqual(['1'])
    expect(rogue.last().body).toMatchObject({ outcome: { code: 'identity.credential-expired' } })
  })

  it('that the callee lost is opened anew with exactly one more request', async () => {
    await using open = await openCounted()
    expect((await open.buy('first')).kind).toBe('ok')
    const wire = tapWire(open.mesh.bus)
    const seed = new Uint8Array(32).fill(9)
    await open.counter.close()
    const random = withSeed(seed, createSeededRandom(60))
    const serve = (node: typeof open.counter): void => {
      node.serve(shop, soundServes)
    }
    const before = await open.mesh.node('acme/shop', { random, serves: [shop], serve })
    expect((await open.buy('second')).kind).toBe('ok')
    await before.close()
    const again = withSeed(seed, createSeededRandom(61))
    const after = await open.mesh.node('acme/shop', { random: again, serves: [shop], serve })
    expect(after.instance).toBe(before.instance)
    const from = wire.units.length
    expect((await open.buy('third')).kind).toBe('ok')
    const types = wire.units.slice(from).flatMap((unit) => readHeaders(unit).map(({ type }) => type))
    expect(types.filter((type) => type !== 'event')).toEqual([
      'request',
      'refusal',
      'hello',
      'welcome',
      'ready',
      'request',
      'reply',
    ])
  })
})
