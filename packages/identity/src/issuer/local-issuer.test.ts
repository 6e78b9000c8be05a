import { createManualClock, createSeededRandom } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createAnchors } from '../credential/anchor.ts'
import { verifyCredential } from '../credential/verify-credential.ts'
import { createKeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import { createOrderBook } from '../order/order-book.ts'
import { createLocalIssuer, type LocalIssuerOptions } from './local-issuer.ts'

function setUp(options: Partial<LocalIssuerOptions> = {}): {
  readonly clock: ReturnType<typeof createManualClock>
  readonly issuer: ReturnType<typeof createLocalIssuer>
  readonly request: { name: string; instance: string; serves: readonly string[]; calls: readonly string[] }
} {
  const clock = createManualClock()
  const random = createSeededRandom(5)
  const issuer = createLocalIssuer({ alias: 'acme', clock, random, ...options })
  const instance = createKeySigner(generateSeed(random)).did
  return { clock, issuer, request: { name: 'acme/flights', instance, serves: ['flights:*'], calls: ['pay:charge'] } }
}

describe('createLocalIssuer', () => {
  it('issues what a node with its anchor accepts', async () => {
    const { clock, issuer, request } = setUp()
    const issued = await issuer.issue(request)
    const verdict = verifyCredential(issued, {
      anchors: createAnchors([issuer.anchor]),
      instance: request.instance,
      nowMs: clock.now(),
    })
    expect(verdict).toMatchObject({
      kind: 'allow',
      credential: { owner: issuer.owner, name: 'acme/flights', expiresAtMs: issued.expiresAtMs, ceiling: 1000 },
    })
    expect(issued.expiresAtMs - clock.now()).toBe(15 * 60_000)
  })

  it('goes on issuing valid credentials for a year', async () => {
    const { clock, issuer, request } = setUp()
    for (let day = 0; day < 365; day += 5) {
      clock.jump(5 * 86_400_000 + 1234)
      const verdict = verifyCredential(await issuer.issue(request), {
        anchors: createAnchors([issuer.anchor]),
        instance: request.instance,
        nowMs: clock.now(),
      })
      expect(verdict.kind).toBe('allow')
    }
  })

  it('signs the head of its orders again when its clock was set back, since nobody believes one of the future', async () => {
    const { clock, issuer } = setUp()
    await issuer.orderNews(0)
    clock.jump(-3_600_000)
    const { head } = await issuer.orderNews(0)
    const book = createOrderBook({ anchors: createAnchors([issuer.anchor]) })
    expect(book.acceptHead(head, clock.now())).toEqual({ kind: 'allow' })
  })

  it('gives each credential an id of its own', async () => {
    const { issuer, request } = setUp()
    expect((await issuer.issue(request)).credential).not.toBe((await issuer.issue(request)).credential)
  })

  it('is the same owner again under the same seed', () => {
    expect(setUp().issuer.owner).toBe(setUp().issuer.owner)
  })

  it.each([
    ['a name under another alias', { name: 'globex/flights' }],
    ['a name that is none', { name: 'acme/Flights' }],
    ['an instance that is no did:key', { instance: 'did:web:acme.example' }],
    ['a bare star', { serves: ['*'] }],
    ['a malformed capability', { calls: ['pay'] }],
  ])('refuses %s', async (_, change) => {
    const { issuer, request } = setUp()
    await expect(issuer.issue({ ...request, ...change })).rejects.toMatchObject({ code: 'identity.issuer-refused' })
  })

  it('gives a limited name what it is allowed, with the facts of the allowance', async () => {
    const allowance = { serves: ['flights:*'], calls: ['pay:charge'], ceiling: 700, ring: 3, ledger: 'db' }
    const { clock, issuer, request } = setUp({ allow: { 'acme/flights': allowance } })
    const issued = await issuer.issue({ ...request, serves: ['flights:reserve'] })
    const anchors = createAnchors([issuer.anchor])
    expect(verifyCredential(issued, { anchors, instance: request.instance, nowMs: clock.now() })).toMatchObject({
      credential: { serves: ['flights:reserve'], ceiling: 700, ring: 3, ledger: 'db', agentKind: 'agent' },
    })
  })

  it.each([
    ['more to serve', { serves: ['hotels:book'] }],
    ['a broader pattern to call', { calls: ['pay:*'] }],
    ['a name that is not listed', { name: 'acme/hotels' }],
  ])('refuses a limited name %s', async (_, change) => {
    const allow = { 'acme/flights': { serves: ['flights:*'], calls: ['pay:charge'] } }
    const { issuer, request } = setUp({ allow })
    await expect(issuer.issue({ ...request, ...change })).rejects.toMatchObject({ code: 'identity.issuer-refused' })
  })

  it('refuses an alias that is none', () => {
    expect(() => setUp({ alias: 'Acme' })).toThrow(expect.objectContaining({ code: 'identity.anchor-invalid' }))
  })

  it('keeps no order about the name of another owner, and takes no number for it', async () => {
    const { issuer, clock } = setUp()
    await expect(issuer.order('kill', 'globex/ann')).rejects.toMatchObject({ code: 'identity.name-not-owned' })
    await issuer.order('revoke', 'acme/ann')
    await expect(issuer.order('revoke', 'globex/ann')).rejects.toMatchObject({ code: 'identity.name-not-owned' })
    const last = await issuer.order('revoke', 'acme/bob')
    const { orders } = await issuer.orderNews(0)
    expect(orders).toHaveLength(2)
    const book = createOrderBook({ anchors: createAnchors([issuer.anchor]) })
    for (const order of orders) expect(book.accept(order, clock.now())).toEqual({ kind: 'allow' })
    expect(orders.at(-1)).toBe(last)
  })
})
