import { createManualClock, createSeededRandom } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createAnchors, parseAnchor } from '../credential/anchor.ts'
import { type VerifiedCredential, verifyCredential } from '../credential/verify-credential.ts'
import { verifyDelegationChain } from '../delegation/delegation-chain.ts'
import { createLocalIssuer, type LocalIssuer } from '../issuer/local-issuer.ts'
import { createKeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import { createOrderBook, type OrderBook } from './order-book.ts'
import { signOrder } from './order.ts'

const random = createSeededRandom(53)
const clock = createManualClock()
const nowMs = clock.now()
const minute = 60_000
const untilMs = nowMs + 15 * minute
const desk = 'acme/desk'

interface World {
  readonly acme: LocalIssuer
  readonly book: OrderBook
  readonly credential: VerifiedCredential
}

async function setUp(): Promise<World> {
  const acme = createLocalIssuer({ alias: 'acme', clock, random })
  const anchors = createAnchors([acme.anchor])
  const { did: instance } = createKeySigner(generateSeed(random))
  const issued = await acme.issue({ name: desk, instance, serves: [], calls: [] })
  const verdict = verifyCredential(issued, { anchors, instance, nowMs })
  if (verdict.kind === 'deny') throw new Error(verdict.reason)
  return { acme, book: createOrderBook({ anchors }), credential: verdict.credential }
}

const takeAll = (book: OrderBook, orders: readonly string[]): readonly string[] =>
  orders.map((order) => {
    const verdict = book.accept(order, nowMs)
    return verdict.kind === 'deny' ? verdict.code : 'allow'
  })

describe('a quarantine', () => {
  it.each(['name', 'instance'] as const)('holds for a %s until its end, and revokes nothing', async (part) => {
    const { acme, book, credential } = await setUp()
    expect(book.checkQuarantine(credential, nowMs)).toEqual({ kind: 'allow' })
    await expect(acme.order('quarantine', credential[part], { untilMs })).resolves.toSatisfy(
      (order: string) => book.accept(order, nowMs).kind === 'allow',
    )
    expect(book.checkQuarantine(credential, nowMs + minute)).toMatchObject({
      kind: 'deny',
      code: 'identity.quarantined',
      retryAfterMs: 14 * minute,
    })
    expect(book.check(credential)).toEqual({ kind: 'allow' })
    expect(book.checkQuarantine(credential, untilMs - 1).kind).toBe('deny')
    expect(book.checkQuarantine(credential, untilMs)).toEqual({ kind: 'allow' })
  })

  it('I1 is ended, shortened or made longer by the next one about the same subject', async () => {
    const { acme, book, credential } = await setUp()
    for (const [until, kind] of [
      [untilMs, 'deny'],
      [nowMs, 'allow'],
      [untilMs, 'deny'],
      [nowMs + minute, 'deny'],
    ] as const) {
      takeAll(book, [await acme.order('quarantine', desk, { untilMs: until })])
      expect(book.checkQuarantine(credential, nowMs).kind).toBe(kind)
    }
    expect(book.checkQuarantine(credential, nowMs + minute).kind).toBe('allow')
  })

  it('is remembered after its end, for what was said of a name before it', async () => {
    const world = await setUp()
    const { acme, book } = world
    const agent = { owner: acme.owner, name: desk } as const
    expect(book.isQuarantinedSince(agent, 0)).toBe(false)
    const order = await acme.order('quarantine', desk, { untilMs: nowMs + 1_000 })
    takeAll(book, [order])
    expect(
      [nowMs - 1, nowMs, nowMs + 999, nowMs + 1_000].map((since) => book.isQuarantinedSince(agent, since)),
    ).toEqual([true, true, true, false])
    expect(book.isQuarantinedSince({ ...agent, name: 'acme/other' }, 0)).toBe(false)
  })

  it('I2 counts before the orders before it came, and is not ended by one that cannot be held yet', async () => {
    const { acme, book, credential } = await setUp()
    const other = await acme.order('revoke', 'acme/other')
    const begun = await acme.order('quarantine', desk, { untilMs })
    const ended = await acme.order('quarantine', desk, { untilMs: nowMs })
    expect(takeAll(book, [begun, ended])).toEqual(['identity.order-gap', 'identity.order-gap'])
    expect(book.checkQuarantine(credential, nowMs).kind).toBe('deny')
    expect(takeAll(book, [other, begun])).toEqual(['allow', 'allow'])
    expect(book.checkQuarantine(credential, nowMs).kind).toBe('deny')
    expect(takeAll(book, [ended])).toEqual(['allow'])
    expect(book.checkQuarantine(credential, nowMs).kind).toBe('allow')
  })

  it('holds for every chain that an agent in quarantine is in, and that an instance in quarantine signed', async () => {
    const { acme, book, credential } = await setUp()
    const links = await acme.delegate({ to: desk, capabilities: ['flights:reserve'], forMs: minute })
    const verdict = verifyDelegationChain(links, { anchors: createAnchors([acme.anchor]), nowMs, delegate: credential })
    if (verdict.kind === 'deny') throw new Error(verdict.reason)
    const signed = { ...verdict.chain, agents: [], credentials: [credential] }
    takeAll(book, [await acme.order('quarantine', credential.instance, { untilMs })])
    expect(book.checkChainQuarantine(verdict.chain, nowMs)).toEqual({ kind: 'allow' })
    expect(book.checkChainQuarantine(signed, nowMs)).toMatchObject({ code: 'identity.quarantined' })
    takeAll(book, [await acme.order('quarantine', desk, { untilMs })])
    expect(book.checkChainQuarantine(verdict.chain, nowMs)).toMatchObject({ code: 'identity.quarantined' })
    expect(book.checkChain(verdict.chain)).toEqual({ kind: 'allow' })
  })
})

describe('a pin', () => {
  const agent = ({ acme }: World) => ({ owner: acme.owner, name: desk }) as const
  const reason = 'a probation after the incident of May'

  it('I1 gives a name its score until it ends, or another one follows', async () => {
    const world = await setUp()
    const { acme, book } = world
    expect(book.pinOf(agent(world), nowMs)).toBeUndefined()
    takeAll(book, [await acme.order('pin', desk, { untilMs, score: 250, reason })])
    const pin = { agent: agent(world), score: 250, reason, untilMs, sequence: 1 }
    expect(book.pinOf(agent(world), nowMs)).toEqual(pin)
    expect(book.pins(untilMs - 1)).toEqual([pin])
    expect([book.pinOf(agent(world), untilMs), book.pins(untilMs)]).toEqual([undefined, []])
    takeAll(book, [await acme.order('pin', desk, { untilMs, score: 0, reason })])
    expect(book.pinOf(agent(world), nowMs)).toMatchObject({ score: 0, sequence: 2 })
    takeAll(book, [await acme.order('pin', desk, { untilMs: nowMs, score: 0, reason })])
    expect(book.pins(nowMs)).toEqual([])
  })

  it('I2 does not count before the orders before it came: it could raise a score', async () => {
    const world = await setUp()
    const { acme, book } = world
    const first = await acme.order('pin', desk, { untilMs, score: 0, reason })
    const second = await acme.order('pin', desk, { untilMs, score: 1000, reason })
    expect(takeAll(book, [second])).toEqual(['identity.order-gap'])
    expect(book.pins(nowMs)).toEqual([])
    takeAll(book, [first, second])
    expect(book.pinOf(agent(world), nowMs)).toMatchObject({ score: 1000 })
  })

  it('of another owner’s name is refused', async () => {
    const owner = createKeySigner(generateSeed(random))
    const anchor = parseAnchor({ owner: owner.did, alias: 'acme', issues: ['acme/*'], roots: 'all' })
    const book = createOrderBook({ anchors: createAnchors([anchor]) })
    const pin = { sequence: 1, kind: 'pin', issuedAtMs: nowMs, untilMs, score: 0, reason } as const
    const order = await signOrder(owner, { ...pin, subject: 'globex/desk' })
    expect(book.accept(order, nowMs)).toMatchObject({ code: 'identity.name-not-owned' })
  })
})

describe('signOrder', () => {
  const owner = createKeySigner(generateSeed(random))
  const pin = { kind: 'pin', subject: desk, untilMs, score: 5, reason: 'r' } as const
  it.each([
    ['a quarantine without an end', { kind: 'quarantine', subject: desk }],
    ['a quarantine that ends before it begins', { kind: 'quarantine', subject: desk, untilMs: nowMs - 1_000 }],
    ['a quarantine of a link', { kind: 'quarantine', subject: 'kQ8vS2pV', untilMs }],
    ['a quarantine with a score', { kind: 'quarantine', subject: desk, untilMs, score: 5 }],
    ['a pin of an instance', { ...pin, subject: owner.did }],
    ['a pin without a score', { kind: 'pin', subject: desk, untilMs, reason: 'r' }],
    ['a pin beyond the scale', { ...pin, score: 1001 }],
    ['a pin without a reason', { kind: 'pin', subject: desk, untilMs, score: 5 }],
    ['a pin with a line break in its reason', { ...pin, reason: 'a\nb' }],
    ['a revocation that ends', { kind: 'revoke', subject: desk, untilMs }],
    ['a kill with a reason', { kind: 'kill', subject: desk, reason: 'r' }],
  ] as const)('refuses %s', async (_, draft) => {
    await expect(signOrder(owner, { sequence: 1, issuedAtMs: nowMs, ...draft })).rejects.toMatchObject({
      code: 'identity.jwt-invalid',
    })
  })
})
