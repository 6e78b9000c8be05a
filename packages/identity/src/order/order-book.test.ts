import { createManualClock, createSeededRandom } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createAnchors, parseAnchor } from '../credential/anchor.ts'
import { type VerifiedCredential, verifyCredential } from '../credential/verify-credential.ts'
import { verifyDelegationChain } from '../delegation/delegation-chain.ts'
import { extendDelegation } from '../delegation/delegation.ts'
import { createLocalIssuer, type LocalIssuer } from '../issuer/local-issuer.ts'
import { createKeySigner, type KeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import { createOrderBook, type OrderBook } from './order-book.ts'
import { signOrder } from './order.ts'

const random = createSeededRandom(31)
const clock = createManualClock()
const nowMs = clock.now()
const year = 365 * 86_400_000

interface World {
  readonly acme: LocalIssuer
  readonly globex: LocalIssuer
  readonly book: OrderBook
  readonly verify: (issuer: LocalIssuer, name: string, signer: KeySigner) => Promise<VerifiedCredential>
}

function setUp(): World {
  const acme = createLocalIssuer({ alias: 'acme', clock, random })
  const globex = createLocalIssuer({ alias: 'globex', clock, random })
  const anchors = createAnchors([acme.anchor, globex.anchor])
  return {
    acme,
    globex,
    book: createOrderBook({ anchors }),
    async verify(issuer, name, signer) {
      const issued = await issuer.issue({ name, instance: signer.did, serves: [], calls: [] })
      const verdict = verifyCredential(issued, { anchors, instance: signer.did, nowMs })
      if (verdict.kind === 'deny') throw new Error(verdict.reason)
      return verdict.credential
    },
  }
}

const createSigner = (): KeySigner => createKeySigner(generateSeed(random))

describe('createOrderBook', () => {
  it.each(['id', 'instance', 'name'] as const)(
    'refuses a credential whose %s was revoked, and no other',
    async (part) => {
      const { acme, book, verify } = setUp()
      const credential = await verify(acme, 'acme/flights', createSigner())
      const other = await verify(acme, 'acme/hotels', createSigner())
      expect(book.check(credential).kind).toBe('allow')
      expect(book.accept(await acme.order('revoke', credential[part]), nowMs).kind).toBe('allow')
      expect(book.check(credential)).toMatchObject({ kind: 'deny', code: 'identity.revoked' })
      expect(book.check(other).kind).toBe('allow')
    },
  )

  it('refuses everything that a revoked issuer issued, for its own owner only', async () => {
    const { acme, globex, book, verify } = setUp()
    const credential = await verify(acme, 'acme/flights', createSigner())
    const foreign = await verify(globex, 'globex/flights', createSigner())
    expect(book.accept(await acme.order('revoke', foreign.issuer), nowMs).kind).toBe('allow')
    expect(book.check(foreign).kind).toBe('allow')
    expect(book.accept(await acme.order('revoke', credential.issuer), nowMs).kind).toBe('allow')
    expect(book.check(credential)).toMatchObject({ code: 'identity.revoked' })
    expect(book.check(await verify(acme, 'acme/hotels', createSigner()))).toMatchObject({ code: 'identity.revoked' })
  })

  it('I1 takes orders in sequence, and tells a gap, a repeat and a fork', async () => {
    const { acme, book } = setUp()
    const [first, second, third] = [
      await acme.order('kill', 'acme/one'),
      await acme.order('kill', 'acme/two'),
      await acme.order('kill', 'acme/three'),
    ]
    expect(book.accept(second, nowMs)).toMatchObject({ code: 'identity.order-gap' })
    expect(book.accept(first, nowMs).kind).toBe('allow')
    expect(book.accept(first, nowMs)).toMatchObject({ code: 'identity.order-stale' })
    expect(book.accept(third, nowMs)).toMatchObject({ code: 'identity.order-gap' })
    expect(book.accept(second, nowMs).kind).toBe('allow')
    expect(book.accept(first, nowMs)).toMatchObject({ code: 'identity.order-stale' })
    expect(book.accept(third, nowMs).kind).toBe('allow')
    expect(book.head(acme.owner)).toMatchObject({ sequence: 3, subject: 'acme/three', nextUpdateMs: nowMs + 60_000 })
  })

  it('I1 refuses a second history of the same owner', async () => {
    const owner = createSigner()
    const anchors = createAnchors([{ owner: owner.did, alias: 'acme', issues: ['acme/*'], roots: 'all' }])
    const book = createOrderBook({ anchors })
    const draft = { kind: 'kill', issuedAtMs: nowMs } as const
    const first = await signOrder(owner, { ...draft, sequence: 1, subject: 'acme/one' })
    const twin = await signOrder(owner, { ...draft, sequence: 1, subject: 'acme/other' })
    const afterTwin = await signOrder(owner, { ...draft, sequence: 2, previous: twin, subject: 'acme/two' })
    expect(book.accept(first, nowMs).kind).toBe('allow')
    expect(book.accept(afterTwin, nowMs)).toMatchObject({ code: 'identity.order-forked' })
    expect(book.head(owner.did)).toMatchObject({ sequence: 1 })
  })

  it('I2 lets no owner touch what is another’s', async () => {
    const { acme, globex, verify } = setUp()
    const credential = await verify(acme, 'acme/flights', createSigner())
    const thief = createKeySigner(generateSeed(random))
    const anchor = parseAnchor({ owner: thief.did, alias: 'thief', issues: ['thief/*'], roots: 'all' })
    const book = createOrderBook({ anchors: createAnchors([acme.anchor, anchor]) })
    const stolen = { sequence: 1, kind: 'kill', subject: 'acme/flights', issuedAtMs: nowMs } as const
    expect(book.accept(await signOrder(thief, stolen), nowMs)).toMatchObject({ code: 'identity.name-not-owned' })
    expect(book.check(credential).kind).toBe('allow')
    const other = setUp()
    expect(other.book.accept(await globex.order('revoke', credential.instance), nowMs)).toMatchObject({
      code: 'identity.owner-unknown',
    })
    const rival = createLocalIssuer({ alias: 'rival', clock, random })
    const shared = createOrderBook({ anchors: createAnchors([acme.anchor, rival.anchor]) })
    expect(shared.accept(await rival.order('revoke', credential.instance), nowMs).kind).toBe('allow')
    expect(shared.check(credential).kind).toBe('allow')
  })

  it('I3 holds an order long after its next update, and takes an old one in', async () => {
    const { acme, book, verify } = setUp()
    const credential = await verify(acme, 'acme/flights', createSigner())
    expect(book.accept(await acme.order('kill', 'acme/flights'), nowMs + 2 * year).kind).toBe('allow')
    expect(book.check(credential)).toMatchObject({ code: 'identity.revoked' })
  })

  it('refuses an order that its owner did not sign', async () => {
    const { acme, book } = setUp()
    const forged = await signOrder(
      { ...createSigner(), did: acme.owner },
      { sequence: 1, kind: 'kill', subject: 'acme/flights', issuedAtMs: nowMs },
    )
    expect(book.accept(forged, nowMs)).toMatchObject({ code: 'identity.signature-invalid' })
    expect(book.head(acme.owner)).toBeUndefined()
  })

  it('refuses a token of another kind', async () => {
    const { acme, book } = setUp()
    const [link = ''] = await acme.delegate({ to: 'acme/trips', capabilities: ['flights:reserve'], forMs: 1000 })
    expect(book.accept(link, nowMs)).toMatchObject({ code: 'identity.jwt-invalid' })
  })

  it('refuses a chain in which a link, an agent or a signing instance is revoked', async () => {
    for (const part of ['root link', 'agent', 'instance'] as const) {
      const { acme, book } = setUp()
      const anchors = createAnchors([acme.anchor])
      const signer = createSigner()
      const issued = await acme.issue({ name: 'acme/trips', instance: signer.did, serves: [], calls: [] })
      const root = await acme.delegate({ to: 'acme/trips', capabilities: ['flights:reserve'], forMs: 60_000 })
      const delegate = { owner: acme.owner, name: 'acme/flights' } as const
      const grant = {
        id: 'l2',
        delegate,
        capabilities: ['flights:reserve'],
        notBeforeMs: nowMs,
        expiresAtMs: nowMs + 60_000,
      }
      const delegator = { ...issued, signer, agent: { owner: acme.owner, name: 'acme/trips' } } as const
      const links = await extendDelegation(root, grant, delegator)
      const verdict = verifyDelegationChain(links, { anchors, nowMs, delegate })
      if (verdict.kind === 'deny') throw new Error(verdict.reason)
      expect(book.checkChain(verdict.chain).kind).toBe('allow')
      const subject = { 'root link': verdict.chain.links[0]?.id ?? '', agent: 'acme/trips', instance: signer.did }[part]
      expect(book.accept(await acme.order('revoke', subject), nowMs).kind).toBe('allow')
      expect(book.checkChain(verdict.chain)).toMatchObject({ code: 'identity.revoked' })
    }
  })
})

describe('signOrder', () => {
  const owner = createSigner()
  it.each([
    ['a kill of something that is no name', { sequence: 1, kind: 'kill', subject: 'c1' }],
    ['a first order that follows another', { sequence: 1, previous: 'x', kind: 'kill', subject: 'acme/x' }],
    ['a later order that follows none', { sequence: 2, kind: 'kill', subject: 'acme/x' }],
    ['a sequence of zero', { sequence: 0, kind: 'kill', subject: 'acme/x' }],
    ['an empty subject', { sequence: 1, kind: 'revoke', subject: '' }],
    ['a subject with a space', { sequence: 1, kind: 'revoke', subject: 'a b' }],
  ] as const)('refuses %s', async (_, draft) => {
    await expect(signOrder(owner, { ...draft, issuedAtMs: nowMs })).rejects.toMatchObject({
      code: 'identity.jwt-invalid',
    })
  })
})

describe('createLocalIssuer', () => {
  it('numbers orders that are asked for at once one after the other, and skips one that is malformed', async () => {
    const { acme, book } = setUp()
    const [first, bad, second] = await Promise.allSettled([
      acme.order('kill', 'acme/one'),
      acme.order('kill', 'not a name'),
      acme.order('kill', 'acme/two'),
    ])
    expect(bad.status).toBe('rejected')
    for (const settled of [first, second]) {
      if (settled.status === 'rejected') throw settled.reason
      expect(book.accept(settled.value, nowMs).kind).toBe('allow')
    }
  })
})
