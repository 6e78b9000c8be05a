import fc from 'fast-check'
import { localIssuer } from '@parley/mesh'
import { systemHash } from '@parley/ports'
import { decodeFrame, formatEventSubject, formatInboxSubject, type InstanceDid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { openShop, shop, type ShopMesh } from './shop.ts'
import { createStranger } from './stranger.ts'
import { readHeaders, tapWire } from './wire.ts'

const hello = { type: 'hello', nonce: 'A'.repeat(22), versions: [1], suites: [1] } as const

interface Watched extends ShopMesh {
  /** How often the handler ran. */
  served(): number
}

async function openWatched(): Promise<Watched> {
  let served = 0
  const open = await openShop({
    buy: () => {
      served += 1
      return { receipt: 'r' }
    },
  })
  return { ...open, served: () => served, [Symbol.asyncDispose]: () => open[Symbol.asyncDispose]() }
}

/** What the callee wrote besides its hops, once the summary of a second is due. */
async function complaintsOf(open: ShopMesh): Promise<readonly string[]> {
  await open.mesh.clock.advance(1_001)
  return open.mesh
    .recordsOf(open.counter)
    .filter(({ kind }) => kind === 'envelope' || kind === 'rejected')
    .map(({ kind, code, codes, type }) => [kind, type, code ?? codes].filter((part) => part !== undefined).join(' '))
}

describe('a replayed frame', () => {
  it('is neither delivered nor answered, and is recorded', async () => {
    await using open = await openWatched()
    const wire = tapWire(open.mesh.bus)
    await open.buy()
    const stranger = createStranger(open.mesh)
    const { subject, data } = wire.unitOf('request')
    const before = wire.units.length
    stranger.transport.publish(subject, data)
    await open.mesh.clock.settle()
    expect(open.served()).toBe(1)
    expect(wire.units.length - before).toBe(1)
    expect(await open.hopsOf(open.counter)).toMatchObject([
      { outcome: 'ok' },
      { outcome: 'refused', code: 'iatp.replayed' },
    ])
  })

  it('does not lower the trust in whom it was copied from', async () => {
    await using open = await openWatched()
    const wire = tapWire(open.mesh.bus)
    await open.buy()
    const { subject, data } = wire.unitOf('request')
    const stranger = createStranger(open.mesh)
    for (let copy = 0; copy < 20; copy++) stranger.transport.publish(subject, data)
    await open.mesh.clock.settle()
    await open.buy()
    const scores = (await open.hopsOf(open.counter)).flatMap(({ score }) => (typeof score === 'number' ? [score] : []))
    expect(Math.min(...scores)).toBeGreaterThanOrEqual(500)
    expect(open.served()).toBe(2)
  })

  it('of a hello is not answered, and takes no place of its sender', async () => {
    await using open = await openWatched()
    const wire = tapWire(open.mesh.bus)
    open.mesh.bus.inject({ kind: 'drop', when: (unit) => readHeaders(unit).some(({ type }) => type === 'welcome') })
    const lost = open.desk.tryCall(shop.buy, { item: 'lamp' }, { deadlineMs: 50 })
    await open.mesh.clock.advance(50)
    expect((await lost).kind).toBe('refused')
    const { subject, data } = wire.unitOf('hello')
    const stranger = createStranger(open.mesh)
    const before = wire.units.length
    for (let copy = 0; copy < 5; copy++) stranger.transport.publish(subject, data)
    await open.mesh.clock.settle()
    expect(wire.units.length - before).toBe(5)
  })
})

describe('a forged frame', () => {
  it('with any byte changed is neither delivered nor answered', async () => {
    await using open = await openWatched()
    const wire = tapWire(open.mesh.bus)
    const drop = open.mesh.bus.inject({
      kind: 'drop',
      when: (unit) => readHeaders(unit).some(({ type }) => type === 'request'),
    })
    const call = open.desk.tryCall(shop.buy, { item: 'lamp' }, { deadlineMs: 100 })
    await open.mesh.clock.advance(100)
    await call
    drop()
    const { subject, data } = wire.unitOf('request')
    const stranger = createStranger(open.mesh)
    const before = wire.units.length
    for (let at = 0; at < data.length; at += 7) {
      const forged = data.slice()
      forged[at] = (forged[at] ?? 0) ^ 0x20
      stranger.transport.publish(subject, forged)
    }
    await open.mesh.clock.settle()
    expect(open.served()).toBe(0)
    expect(wire.units.length - before).toBe(Math.ceil(data.length / 7))
    expect((await complaintsOf(open)).join()).toContain('identity.signature-invalid')
  })

  it('under the subject of another sender fails its proof', async () => {
    await using open = await openWatched()
    const stranger = createStranger(open.mesh)
    const frame = await stranger.sign({ to: open.counter.instance, from: open.desk.instance })
    stranger.transport.publish(formatInboxSubject('main', open.counter.instance, open.desk.instance), frame)
    expect(await complaintsOf(open)).toEqual(['rejected identity.signature-invalid=1'])
  })

  it('that names another sender in its header is refused without an answer', async () => {
    await using open = await openWatched()
    const wire = tapWire(open.mesh.bus)
    const stranger = createStranger(open.mesh)
    await stranger.send(open.counter.instance, { from: open.desk.instance, session: 's', counter: 1 })
    expect(wire.units).toHaveLength(1)
    expect(open.served()).toBe(0)
  })

  it('of random bytes changes nothing', async () => {
    await using open = await openWatched()
    const stranger = createStranger(open.mesh)
    const subject = formatInboxSubject('main', open.counter.instance, stranger.did)
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.boolean(), async (bytes, withMagic) => {
        stranger.transport.publish(
          subject,
          withMagic ? Buffer.concat([Buffer.from('IATP\u0001\u0001\u0001'), bytes]) : bytes,
        )
      }),
      { numRuns: 200, seed: 5 },
    )
    await open.mesh.clock.settle()
    expect((await complaintsOf(open)).join()).toContain('iatp.frame-malformed')
    expect((await open.buy()).kind).toBe('ok')
  })

  it('that is larger than allowed is refused before it is hashed', async () => {
    await using open = await openWatched()
    const stranger = createStranger(open.mesh)
    const frame = new Uint8Array(200)
    frame.set(Buffer.from('IATP\u0001\u0001\u0001'))
    new DataView(frame.buffer).setUint32(71 + 4, 2_000_000_000)
    stranger.transport.publish(formatInboxSubject('main', open.counter.instance, stranger.did), frame)
    expect(await complaintsOf(open)).toEqual(['rejected iatp.frame-oversize=1'])
  })
})

describe('a re-addressed frame', () => {
  it('is refused by the instance that it was not signed for', async () => {
    await using open = await openWatched()
    const other = await open.mesh.node('acme/shop', {
      serves: [shop],
      serve: (node) => {
        node.serve(shop, {
          look: () => ({ cents: 1 }),
          buy: () => {
            throw new Error('must not run')
          },
          burn: () => ({}),
          wipe: () => ({}),
        })
      },
    })
    const wire = tapWire(open.mesh.bus)
    await open.desk.tryCall(shop.buy, { item: 'lamp' })
    const request = wire.unitOf('request')
    const [header] = readHeaders(request).filter(({ type }) => type === 'request')
    const wrong = header?.to === other.instance ? open.counter : other
    const before = wire.units.length
    const stranger = createStranger(open.mesh)
    stranger.transport.publish(formatInboxSubject('main', wrong.instance, open.desk.instance), request.data)
    await open.mesh.clock.settle()
    expect(wire.units.length - before).toBe(1)
    const misaddressed = open.mesh.recordsOf(wrong).filter(({ code }) => code === 'iatp.misaddressed')
    expect(misaddressed.length).toBeGreaterThan(0)
  })

  it('on the subjects of another mesh is not for this node', async () => {
    await using open = await openWatched()
    const other = await open.mesh.node('acme/other', { mesh: 'second' })
    const wire = tapWire(open.mesh.bus)
    await open.buy()
    const { data } = wire.unitOf('request')
    const stranger = createStranger(open.mesh)
    stranger.transport.publish(formatInboxSubject('second', other.instance, open.desk.instance), data)
    await open.mesh.clock.settle()
    expect(open.mesh.recordsOf(other).filter(({ kind, code }) => kind === 'hop' && code === undefined)).toEqual([])
  })
})

describe('time', () => {
  it('refuses an envelope after its life, and one from the future', async () => {
    await using open = await openWatched()
    const stranger = createStranger(open.mesh)
    const nowMs = open.mesh.clock.now()
    const wire = tapWire(open.mesh.bus)
    for (const [issuedAtMs, expiresAtMs] of [
      [nowMs - 120_000, nowMs - 61_000],
      [nowMs + 61_000, nowMs + 90_000],
      [nowMs, nowMs + 301_000],
      [nowMs, nowMs - 1],
    ] as const)
      await stranger.send(open.counter.instance, {
        ...hello,
        credential: 'a.b.c',
        statement: 'a.b.c',
        issuedAtMs,
        expiresAtMs,
      })
    expect(wire.units).toHaveLength(4)
    const complaints = await complaintsOf(open)
    expect(complaints).toHaveLength(4)
    expect(new Set(complaints.map((line) => line.split(' ').at(-1)))).toEqual(new Set(['iatp.lifetime']))
  })
})

describe('a stranger', () => {
  it('without a credential gets no session', async () => {
    await using open = await openWatched()
    const wire = tapWire(open.mesh.bus)
    const stranger = createStranger(open.mesh)
    await stranger.send(open.counter.instance, { ...hello, credential: 'a.b.c', statement: 'a.b.c' })
    expect(wire.headers().map(({ type }) => type)).toEqual(['hello', 'refusal'])
  })

  it('cannot use the session of another', async () => {
    await using open = await openWatched()
    const wire = tapWire(open.mesh.bus)
    await open.buy()
    const [request] = wire.headers().filter(({ type }) => type === 'request')
    const stranger = createStranger(open.mesh)
    const { capability, contract, session, traceparent } = request ?? {}
    await stranger.send(
      open.counter.instance,
      { capability, contract, session, traceparent, counter: 9, remainingMs: 1_000 } as never,
      { item: 'lamp' },
    )
    expect(open.served()).toBe(1)
    expect(await open.hopsOf(open.counter)).toMatchObject([{ outcome: 'ok' }, { code: 'iatp.session-unknown' }])
  })

  it('cannot use the credential of another', async () => {
    await using open = await openWatched()
    const wire = tapWire(open.mesh.bus)
    await open.buy()
    const [stolen] = wire.headers().filter(({ type }) => type === 'hello')
    const stranger = createStranger(open.mesh)
    const { credential, statement } = stolen ?? {}
    await stranger.send(open.counter.instance, { ...hello, credential, statement } as never)
    expect(wire.headers().at(-1)?.type).toBe('refusal')
    expect((await complaintsOf(open)).at(-1)).toMatch(/^envelope hello identity\./)
  })

  it('cannot answer for the callee', async () => {
    await using open = await openWatched()
    await open.buy()
    const wire = tapWire(open.mesh.bus)
    const drop = open.mesh.bus.inject({
      kind: 'drop',
      when: (unit) => readHeaders(unit).some(({ type }) => type === 'request'),
    })
    const call = open.desk.tryCall(shop.buy, { item: 'lamp' }, { deadlineMs: 200 })
    await open.mesh.clock.settle()
    drop()
    const stranger = createStranger(open.mesh)
    const decoded = decodeFrame(systemHash, wire.unitOf('request').data)
    const leaf = decoded.kind === 'allow' ? decoded.frame.envelopes[0]?.leaf : undefined
    const inReplyTo = Buffer.from(leaf ?? []).toString('base64url')
    expect(inReplyTo).toHaveLength(43)
    const lie = { outcome: { kind: 'ok', output: { receipt: 'forged' } } }
    await stranger.send(open.desk.instance, { type: 'refusal', inReplyTo }, lie)
    await stranger.send(open.desk.instance, { type: 'reply', inReplyTo, session: 's', counter: 1 }, lie)
    await open.mesh.clock.advance(200)
    expect(await call).toMatchObject({ kind: 'unknown', code: 'deadline.exceeded' })
  })

  it('cannot announce itself', async () => {
    await using open = await openWatched()
    const stranger = createStranger(open.mesh)
    const card = JSON.stringify({ boot: 'b', serves: { 'shop:buy': 'h' }, leaving: false })
    const frame = await stranger.sign(
      { type: 'event', to: 'card', credential: 'a.b.c', statement: 'a.b.c' },
      new TextEncoder().encode(card),
    )
    stranger.transport.publish(formatEventSubject('main', 'card', stranger.did), frame)
    await open.mesh.clock.settle()
    expect(open.desk.providers('shop:buy')).toEqual(['acme/shop'])
    expect((await open.buy()).output).toEqual({ receipt: 'r' })
  })

  it('that floods the bus with keys of its own does not shut out who has a session', async () => {
    await using open = await openWatched()
    await open.buy()
    const stranger = createStranger(open.mesh)
    const frame = await stranger.sign({ to: open.counter.instance, type: 'hello', nonce: 'A'.repeat(22) })
    const fakes = Array.from({ length: 2_100 }, (_, at) => `did:key:z6Mk${String(at).padStart(6, '1')}` as InstanceDid)
    for (const fake of fakes) stranger.transport.publish(formatInboxSubject('main', open.counter.instance, fake), frame)
    await open.mesh.clock.settle()
    expect((await open.buy()).kind).toBe('ok')
    expect((await complaintsOf(open)).join()).toContain('iatp.sender-limited')
  })
})

describe('an owner that no anchor accepts', () => {
  it('is refused although its credentials are sound, also under a stolen alias', async () => {
    await using open = await openWatched()
    for (const alias of ['evil', 'acme'] as const) {
      const evil = localIssuer(alias, { clock: open.mesh.clock, random: open.mesh.random })
      const anchors = alias === 'evil' ? [evil.anchor, open.mesh.issuer.anchor] : [evil.anchor]
      const mole = await open.mesh.node(`${alias}/mole`, { issuer: evil, anchors, calls: [shop.buy] })
      const call = mole.tryCall(shop.buy, { item: 'lamp' }, { to: 'acme/shop' })
      await open.mesh.clock.advance(1_000)
      expect((await call).kind).toBe('refused')
    }
    expect(open.served()).toBe(0)
  })

  it('is not believed when it answers', async () => {
    await using open = await openWatched()
    const evil = localIssuer('evil', { clock: open.mesh.clock, random: open.mesh.random })
    await open.mesh.node('evil/shop', {
      issuer: evil,
      anchors: [evil.anchor, open.mesh.issuer.anchor],
      serves: [shop],
      serve: (node) => {
        node.serve(shop, {
          look: () => ({ cents: 1 }),
          buy: () => ({ receipt: 'evil' }),
          burn: () => ({}),
          wipe: () => ({}),
        })
      },
    })
    for (let call = 0; call < 5; call++) expect((await open.buy()).output).toEqual({ receipt: 'r' })
  })
})
