import { createManualClock, createSeededRandom } from '@parley/ports'
import { describe, expect, it } from 'vitest'
import { createAnchors, parseAnchor } from '../credential/anchor.ts'
import { signIssuerStatement } from '../credential/issuer-statement.ts'
import { createOwnerKeySet, hashOwnerKeySet } from '../did-web/owner-key-set.ts'
import { createLocalIssuer } from '../issuer/local-issuer.ts'
import { jwtTypes } from '../jwt/jwt-type.ts'
import { signJwt } from '../jwt/sign-jwt.ts'
import { createKeySigner, type KeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import { createOrderBook } from './order-book.ts'
import { signOrderHead, verifyOrderHead } from './order-head.ts'

const random = createSeededRandom(41)
const clock = createManualClock()
const nowMs = clock.now()
const createSigner = (): KeySigner => createKeySigner(generateSeed(random))
const acme = createLocalIssuer({ alias: 'acme', clock, random })
const globex = createLocalIssuer({ alias: 'globex', clock, random })
const anchors = createAnchors([{ ...acme.anchor, orders: 'required' }])
const times = { issuedAtMs: nowMs, nextUpdateMs: nowMs + 10_000 }

/** Takes the statement out of a head that an issuer signed. */
function statementOf(head: string): string {
  const claims = JSON.parse(Buffer.from(head.split('.')[1] ?? '', 'base64url').toString()) as { statement: string }
  return claims.statement
}

describe('verifyOrderHead', () => {
  it('takes the word of the owner, and of an issuer under the owner’s statement', async () => {
    const owner = createSigner()
    const own = await signOrderHead(owner, { owner: owner.did, sequence: 0, ...times })
    expect(verifyOrderHead(own, { nowMs })).toMatchObject({ kind: 'allow', head: { owner: owner.did, sequence: 0 } })
    const { head } = await acme.orderNews(0)
    expect(verifyOrderHead(head, { nowMs })).toMatchObject({ kind: 'allow', head: { owner: acme.owner, ...times } })
  })

  it('takes the word of any key of a did:web, and of an issuer under a statement of one, by the anchor’s keys alone', async () => {
    const did = 'did:web:acme.example'
    const [first, second, issuer, stranger] = [createSigner(), createSigner(), createSigner(), createSigner()]
    const keySet = createOwnerKeySet({ threshold: 1, keys: [first.did, second.did] })
    const anchor = { owner: did, pin: hashOwnerKeySet(keySet), keySet, alias: 'acme', issues: ['acme/*'], roots: 'all' }
    const webAnchors = createAnchors([parseAnchor(anchor)])
    const as = ({ sign }: KeySigner) => ({ did, sign })
    const statementBy = (signer: KeySigner): Promise<string> =>
      signIssuerStatement(as(signer), {
        issuer: issuer.did,
        names: ['acme/*'],
        serves: 'all',
        calls: 'all',
        ceiling: 1000,
        maxCredentialMs: 60_000,
        issuedAtMs: nowMs,
        expiresAtMs: nowMs + 60_000,
      })
    const facts = { owner: did, sequence: 0, ...times } as const
    const heads = [
      await signOrderHead(as(first), facts),
      await signOrderHead(as(second), { ...facts, issuedAtMs: nowMs + 1_000 }),
      await signOrderHead(issuer, { ...facts, issuedAtMs: nowMs + 2_000 }, await statementBy(second)),
    ]
    const book = createOrderBook({ anchors: webAnchors })
    for (const head of heads) expect(book.acceptHead(head, nowMs)).toEqual({ kind: 'allow' })
    for (const head of [
      await signOrderHead(as(stranger), facts),
      await signOrderHead(issuer, facts, await statementBy(stranger)),
    ])
      expect(book.acceptHead(head, nowMs)).toMatchObject({ code: 'identity.signature-invalid' })
    for (const head of heads) expect(verifyOrderHead(head, { nowMs }).kind).toBe('deny')
  })

  it('refuses whoever the owner did not let speak', async () => {
    const stranger = createSigner()
    const statement = statementOf((await acme.orderNews(0)).head)
    const foreign = statementOf((await globex.orderNews(0)).head)
    const facts = { owner: acme.owner, sequence: 0, ...times }
    for (const head of [
      await signOrderHead(stranger, facts),
      await signOrderHead(stranger, facts, statement),
      await signOrderHead(stranger, facts, foreign),
      await signOrderHead({ ...stranger, did: acme.owner }, facts),
    ])
      expect(verifyOrderHead(head, { nowMs })).toMatchObject({ code: 'identity.signature-invalid' })
  })

  it.each([
    ['a sequence without a hash', { sequence: 1 }],
    ['a hash without a sequence', { sequence: 0, last: 'x' }],
    ['half a sequence', { sequence: 0.5 }],
    ['an owner that is none', { sequence: 0, owner: 'did:web:acme' }],
    ['no next update', { sequence: 0, nextUpdate: undefined }],
  ])('refuses %s', async (_, claims) => {
    const owner = createSigner()
    const seconds = nowMs / 1000
    const head = await signJwt(owner, jwtTypes.orderHead, {
      iat: seconds,
      exp: seconds + 60,
      owner: owner.did,
      nextUpdate: seconds + 10,
      ...claims,
    })
    expect(verifyOrderHead(head, { nowMs })).toMatchObject({ code: 'identity.jwt-invalid' })
  })
})

describe('createOrderBook', () => {
  it('I5 refuses an owner while a head shows orders that are not held, and one that said nothing yet', async () => {
    const book = createOrderBook({ anchors })
    const owner = createLocalIssuer({ alias: 'acme', clock, random })
    const own = createOrderBook({ anchors: createAnchors([{ ...owner.anchor, orders: 'required' }]) })
    expect(book.checkKnown([acme.owner], 'read', nowMs)).toMatchObject({ code: 'identity.orders-outdated' })
    const order = await owner.order('revoke', 'acme/one')
    const { head } = await owner.orderNews(0)
    expect(own.acceptHead(head, nowMs)).toMatchObject({ code: 'identity.order-gap' })
    expect(own.checkKnown([owner.owner], 'read', nowMs)).toMatchObject({ code: 'identity.orders-behind' })
    expect(own.accept(order, nowMs)).toEqual({ kind: 'allow' })
    expect(own.checkKnown([owner.owner], 'irreversible', nowMs)).toEqual({ kind: 'allow' })
    expect(own.checkKnown([owner.owner], 'irreversible', nowMs + 30_001)).toMatchObject({
      code: 'identity.orders-outdated',
    })
    expect(own.checkKnown([owner.owner], 'reversible', nowMs + 30_001)).toEqual({ kind: 'allow' })
  })

  it('lets no older head count, and forgets what a revoked issuer said of orders that nobody has', async () => {
    const owner = createLocalIssuer({ alias: 'acme', clock, random })
    const book = createOrderBook({ anchors: createAnchors([owner.anchor]) })
    const { head: empty } = await owner.orderNews(0)
    await owner.order('revoke', 'acme/one')
    const { head } = await owner.orderNews(0)
    expect(book.acceptHead(head, nowMs)).toMatchObject({ code: 'identity.order-gap' })
    expect(book.acceptHead(empty, nowMs)).toMatchObject({ code: 'identity.order-stale' })
    const verdict = verifyOrderHead(head, { nowMs })
    if (verdict.kind === 'deny') throw new Error(verdict.reason)
    const [first = ''] = (await owner.orderNews(0)).orders
    expect(book.accept(first, nowMs).kind).toBe('allow')
    expect(book.accept(await owner.order('revoke', verdict.head.signer), nowMs).kind).toBe('allow')
    expect(book.acceptHead((await owner.orderNews(0)).head, nowMs)).toMatchObject({ code: 'identity.revoked' })
    expect(book.checkKnown([owner.owner], 'read', nowMs)).toEqual({ kind: 'allow' })
  })
})
