import { hashChain, jwtTypes, type KeySigner } from '@parley/identity'
import { acme, acmeIssuer, desk, evil, nowSeconds, planes, signClaims, type Claims } from './token-parties.ts'
import { nowMs, printVectors, signerOf } from './vector-kit.ts'

/** An admission as it comes to the issuer of acme, with the grant that is its evidence. */
export interface JoinAsked {
  readonly admission: string
  readonly grant: string
  /** The instance that proved itself. */
  readonly sender: string
}

/** One that follows others, which were taken. */
export interface JoinVector extends JoinAsked {
  readonly name: string
  /** What was taken before, in order; with `key` a grant to come back was given to it. */
  readonly before: readonly (JoinAsked & { readonly key?: string })[]
  readonly expect: string
}

/** The id of a grant to come back. */
export interface SeatVector {
  readonly name: string
  readonly seat: string
  readonly key: string
  readonly jti: string
}

const seat = 'g1'
const token = signerOf('join key')
const next = signerOf('rejoin key')

/** Lists admissions with grants: those that are taken, and each way of being wrong. */
export async function createJoinVectors(): Promise<readonly JoinVector[]> {
  const admit = (claims: Claims = {}, voucher: KeySigner = token): Promise<string> =>
    signClaims(voucher, jwtTypes.admission, {
      exp: nowSeconds + 300,
      instance: desk.did,
      name: 'acme/desk',
      method: 'join-token',
      ...claims,
    })
  const grantTo = (claims: Claims = {}, issuer: KeySigner = acmeIssuer): Promise<string> =>
    signClaims(issuer, jwtTypes.joinGrant, { jti: seat, key: token.did, name: 'acme/desk', ...claims })
  const [good, grant] = [await admit(), await grantTo()]
  const comeBack = await grantTo({ jti: hashChain([seat, next.did]), seat, key: next.did })
  const first = { admission: good, grant, sender: desk.did }
  const again = { admission: await admit({ instance: planes.did }, next), grant: comeBack, sender: planes.did }
  const copied = { admission: await admit({ instance: evil.did }, next), grant: comeBack, sender: evil.did }
  const seated = { ...first, key: next.did }
  const invalid = 'identity.jwt-invalid'
  const wrong = 'identity.join-token-invalid'
  type Case = readonly [name: string, before: JoinVector['before'], asked: Partial<JoinAsked>, expect: string]
  const cases: readonly Case[] = [
    ['by the instance', [], {}, 'allow'],
    ['by the voucher in its stead', [], { sender: token.did }, 'allow'],
    ['by the instance again', [first], {}, 'allow'],
    [
      'by another instance with the same grant',
      [first],
      { admission: await admit({ instance: planes.did }), sender: planes.did },
      'identity.join-token-used',
    ],
    ['by neither the instance nor the voucher', [], { sender: planes.did }, 'identity.credential-mismatch'],
    ['that lives too long', [], { admission: await admit({ exp: nowSeconds + 301 }) }, invalid],
    [
      'that has expired',
      [],
      { admission: await admit({ iat: nowSeconds - 360, exp: nowSeconds - 60 }) },
      'identity.jwt-expired',
    ],
    ['of a name that is none', [], { admission: await admit({ name: 'desk' }) }, invalid],
    ['without a method', [], { admission: await admit({ method: undefined }) }, invalid],
    [
      'of an instance that is no did:key',
      [],
      { admission: await admit({ instance: 'did:web:acme.example' }) },
      invalid,
    ],
    ['with the typ of a grant', [], { admission: grant }, invalid],
    ['by another voucher than the grant names', [], { admission: await admit({}, evil) }, wrong],
    ['for another name than the grant', [], { admission: await admit({ name: 'acme/planes' }) }, wrong],
    ['with a grant of another issuer', [], { grant: await grantTo({}, acme) }, invalid],
    [
      'with a grant that has expired',
      [],
      { grant: await grantTo({ iat: nowSeconds - 300, exp: nowSeconds - 60 }) },
      'identity.jwt-expired',
    ],
    ['with a grant for no key', [], { grant: await grantTo({ key: undefined }) }, invalid],
    ['with a grant without an id', [], { grant: await grantTo({ jti: undefined }) }, invalid],
    ['with a grant that serves a bare *', [], { grant: await grantTo({ serves: ['*'] }) }, invalid],
    ['with a grant whose seat is no id', [], { grant: await grantTo({ seat: 'two words' }) }, invalid],
    ['with a grant to come back', [seated], again, 'allow'],
    ['with a grant to come back, again', [seated, again], again, 'allow'],
    ['with a grant to come back of a seat that nobody holds', [], again, wrong],
    ['with a grant to come back that was not given', [first], again, 'identity.rejoin-reused'],
    ['with a grant to come back that another instance used', [seated, again], copied, 'identity.rejoin-reused'],
    ['with the first grant of a seat that was handed on', [seated, again], {}, 'identity.join-token-used'],
  ]
  return cases.map(([name, before, asked, expect]) => ({ name, before, ...first, ...asked, expect }))
}

/** Lists ids of grants to come back. */
export function createSeatVectors(): readonly SeatVector[] {
  return [next, desk].map(({ did: key }, at) => {
    const name = `grant ${String(at + 1)}`
    return { name, seat, key, jti: hashChain([seat, key]) }
  })
}

/** Writes joins.json. */
export async function renderJoinVectors(): Promise<string> {
  return printVectors(
    'Admissions with join grants as they come to this issuer, and the ids of grants to come back.',
    { nowMs, issuer: acmeIssuer.did },
    { joins: await createJoinVectors(), seats: createSeatVectors() },
  )
}
