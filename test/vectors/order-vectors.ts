import { hashChain, jwtTypes, type KeySigner } from '@parley/identity'
import {
  acme,
  acmeIssuer,
  anchorList,
  desk,
  evil,
  globex,
  nowSeconds,
  signClaims,
  signStatement,
  type Claims,
} from './token-parties.ts'
import { nowMs, printVectors } from './vector-kit.ts'

/** An order that comes to a node which holds others. */
export interface OrderVector {
  readonly name: string
  /** Orders that the node took before, in order. */
  readonly held: readonly string[]
  readonly order: string
  readonly hash: string
  readonly expect: string
}

const tenYears = 10 * 365 * 86_400

/** Lists orders: those that are taken, and each way of being wrong. */
export async function createOrderVectors(): Promise<readonly OrderVector[]> {
  const sign = signOrderOf
  const first = await sign({})
  const after = (previous: string, claims: Claims = {}): Promise<string> =>
    sign({ sequence: 2, previous: hashChain([previous]), kind: 'kill', subject: 'acme/planes', ...claims })
  const quarantine = (claims: Claims): Promise<string> =>
    sign({ kind: 'quarantine', until: nowSeconds + 900, ...claims })
  const pin = (claims: Claims): Promise<string> =>
    sign({ kind: 'pin', subject: 'acme/desk', until: nowSeconds + 900, score: 250, reason: 'on probation', ...claims })
  const second = await after(first)
  const otherFirst = await sign({ subject: 'acme/desk' })
  const invalid = 'identity.jwt-invalid'
  const cases: readonly (readonly [name: string, held: readonly string[], order: string, expect: string])[] = [
    ['the first', [], first, 'allow'],
    ['the second', [first], second, 'allow'],
    ['that revokes a link or a credential by its id', [], await sign({ subject: 'kQ8vS2pV' }), 'allow'],
    ['that is held already', [first], first, 'identity.order-stale'],
    ['that comes before one that is held', [first, second], first, 'identity.order-stale'],
    ['with a gap before it', [], second, 'identity.order-gap'],
    ['that follows another history', [otherFirst], second, 'identity.order-forked'],
    [
      'that is not the one held under its number',
      [otherFirst, await after(otherFirst)],
      first,
      'identity.order-forked',
    ],
    ['of an owner that is not accepted', [], await sign({}, evil), 'identity.owner-unknown'],
    ['about another owner’s name', [], await sign({ subject: 'acme/desk' }, globex), 'identity.name-not-owned'],
    ['of an unknown kind', [], await sign({ kind: 'pardon' }), invalid],
    ['that kills an instance', [], await sign({ kind: 'kill' }), 'allow'],
    ['that kills what is no name and no instance', [], await sign({ kind: 'kill', subject: 'kQ8vS2pV' }), invalid],
    ['of quarantine', [], await quarantine({}), 'allow'],
    ['of quarantine with a reason', [], await quarantine({ reason: 'twenty faults in a row' }), 'allow'],
    ['that ends a quarantine', [], await quarantine({ until: nowSeconds }), 'allow'],
    ['of quarantine without an end', [], await quarantine({ until: undefined }), invalid],
    ['of quarantine that ends before it begins', [], await quarantine({ until: nowSeconds - 1 }), invalid],
    ['of quarantine until half a second', [], await quarantine({ until: nowSeconds + 0.5 }), invalid],
    ['of quarantine of a link', [], await quarantine({ subject: 'kQ8vS2pV' }), invalid],
    ['of quarantine with a score', [], await quarantine({ score: 1 }), invalid],
    ['that pins a score', [], await pin({}), 'allow'],
    ['that pins the lowest score', [], await pin({ score: 0 }), 'allow'],
    ['that pins the score of an instance', [], await pin({ subject: desk.did }), invalid],
    ['that pins no score', [], await pin({ score: undefined }), invalid],
    ['that pins a score above the scale', [], await pin({ score: 1001 }), invalid],
    ['that pins half a score', [], await pin({ score: 0.5 }), invalid],
    ['that pins without a reason', [], await pin({ reason: undefined }), invalid],
    ['that pins for an empty reason', [], await pin({ reason: '' }), invalid],
    ['that pins for a reason of two lines', [], await pin({ reason: 'one\ntwo' }), invalid],
    ['that pins for a reason that is too long', [], await pin({ reason: 'r'.repeat(257) }), invalid],
    ['that pins for ever', [], await pin({ until: undefined }), invalid],
    ['that pins another owner’s name', [], await pin({ subject: 'globex/pay' }), 'identity.name-not-owned'],
    ['that revokes until a time', [], await sign({ until: nowSeconds + 60 }), invalid],
    ['that revokes for a reason', [], await sign({ reason: 'r' }), invalid],
    ['that kills with a score', [], await sign({ kind: 'kill', score: 1 }), invalid],
    ['without nextUpdate', [], await sign({ nextUpdate: undefined }), invalid],
    ['without exp', [], await sign({ exp: undefined }), invalid],
    ['that is the first and follows one', [], await sign({ previous: hashChain([first]) }), invalid],
    ['that is the second and follows none', [first], await after(first, { previous: undefined }), invalid],
    ['with the typ of a credential', [], await signClaims(acme, jwtTypes.credential, { sequence: 1 }), invalid],
  ]
  return cases.map(([name, held, order, expect]) => ({ name, held, order, hash: hashChain([order]), expect }))
}

/** A head that comes to a node which holds orders and heads. */
export interface HeadVector {
  readonly name: string
  /** Orders that the node took before, in order. */
  readonly held: readonly string[]
  /** Heads that it took before, in order. */
  readonly heads: readonly string[]
  readonly head: string
  readonly expect: string
}

/** Lists heads: those that are taken, and each way of being wrong. */
export async function createHeadVectors(): Promise<readonly HeadVector[]> {
  const [first, second] = [await signOrderOf({}), await signOrderOf({ subject: 'acme/desk' })]
  const statement = await signStatement()
  const sign = (claims: Claims, signer: KeySigner = acme): Promise<string> =>
    signClaims(signer, jwtTypes.orderHead, {
      exp: nowSeconds + tenYears,
      owner: acme.did,
      sequence: 0,
      nextUpdate: nowSeconds + 10,
      ...claims,
    })
  const byIssuer = (claims: Claims): Promise<string> => sign({ statement, ...claims }, acmeIssuer)
  const one = { sequence: 1, last: hashChain([first]) }
  const none = await sign({})
  const shows = await sign(one)
  const invalid = 'identity.jwt-invalid'
  const unsigned = 'identity.signature-invalid'
  type Case = readonly [name: string, before: Partial<Pick<HeadVector, 'held' | 'heads'>>, head: string, expect: string]
  const cases: readonly Case[] = [
    ['that there was no order, by the owner', {}, none, 'allow'],
    ['that there was no order, by an issuer', {}, await byIssuer({}), 'allow'],
    ['of the order that is held', { held: [first] }, shows, 'allow'],
    ['later than the one that is held', { heads: [none] }, await sign({ iat: nowSeconds + 10 }), 'allow'],
    ['of an order that is missing', {}, shows, 'identity.order-gap'],
    ['of another order than the one that is held', { held: [second] }, shows, 'identity.order-forked'],
    ['that names fewer than are held', { held: [first] }, none, 'identity.order-stale'],
    [
      'as old as the one that is held',
      { heads: [none] },
      await sign({ nextUpdate: nowSeconds + 20 }),
      'identity.order-stale',
    ],
    ['of an owner that is not accepted', {}, await sign({ owner: evil.did }, evil), 'identity.owner-unknown'],
    ['by another than the owner', {}, await sign({}, evil), unsigned],
    ['by an accepted owner for another', {}, await sign({}, globex), unsigned],
    ['by an issuer without a statement', {}, await sign({}, acmeIssuer), unsigned],
    ['by an issuer that the statement does not name', {}, await sign({ statement }, evil), unsigned],
    [
      'by an issuer under a statement of another owner',
      {},
      await byIssuer({ statement: await signStatement({}, globex) }),
      unsigned,
    ],
    [
      'by an issuer whose statement had expired',
      {},
      await byIssuer({ statement: await signStatement({ iat: nowSeconds - 300, exp: nowSeconds - 61 }) }),
      'identity.jwt-expired',
    ],
    [
      'by an issuer that was revoked',
      { held: [await signOrderOf({ subject: acmeIssuer.did })] },
      await byIssuer(one),
      'identity.revoked',
    ],
    ['with a statement that is no token', {}, await byIssuer({ statement: 7 }), invalid],
    ['of an order without its hash', {}, await sign({ sequence: 1 }), invalid],
    ['of no order with a hash', {}, await sign({ last: hashChain([first]) }), invalid],
    ['of half an order', {}, await sign({ ...one, sequence: 0.5 }), invalid],
    ['without an owner', {}, await sign({ owner: undefined }), invalid],
    ['without nextUpdate', {}, await sign({ nextUpdate: undefined }), invalid],
    ['with the typ of an order', {}, await signClaims(acme, jwtTypes.order, { owner: acme.did, sequence: 0 }), invalid],
  ]
  return cases.map(([name, { held = [], heads = [] }, head, expect]) => ({ name, held, heads, head, expect }))
}

/** Writes orders.json. */
export async function renderOrderVectors(): Promise<string> {
  return printVectors(
    'Orders and heads as they come to a node with these anchors that holds others.',
    { nowMs, anchors: anchorList },
    { orders: await createOrderVectors(), heads: await createHeadVectors() },
  )
}

/** Signs acme's first order, to revoke its desk unless the claims say else. */
function signOrderOf(claims: Claims, owner: KeySigner = acme): Promise<string> {
  return signClaims(owner, jwtTypes.order, {
    exp: nowSeconds + tenYears,
    sequence: 1,
    kind: 'revoke',
    subject: desk.did,
    nextUpdate: nowSeconds + 60,
    ...claims,
  })
}
