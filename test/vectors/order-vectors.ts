import { hashChain, jwtTypes, type KeySigner } from '@parley/identity'
import { acme, anchorList, desk, evil, globex, nowSeconds, signClaims, type Claims } from './token-parties.ts'
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
  const sign = (claims: Claims, owner: KeySigner = acme): Promise<string> =>
    signClaims(owner, jwtTypes.order, {
      exp: nowSeconds + tenYears,
      sequence: 1,
      kind: 'revoke',
      subject: desk.did,
      nextUpdate: nowSeconds + 60,
      ...claims,
    })
  const first = await sign({})
  const after = (previous: string, claims: Claims = {}): Promise<string> =>
    sign({ sequence: 2, previous: hashChain([previous]), kind: 'kill', subject: 'acme/planes', ...claims })
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
    ['of an owner that is not accepted', [], await sign({}, evil), 'identity.owner-unknown'],
    ['about another owner’s name', [], await sign({ subject: 'acme/desk' }, globex), 'identity.name-not-owned'],
    ['of an unknown kind', [], await sign({ kind: 'pardon' }), invalid],
    ['that kills an instance', [], await sign({ kind: 'kill' }), 'allow'],
    ['that kills what is no name and no instance', [], await sign({ kind: 'kill', subject: 'kQ8vS2pV' }), invalid],
    ['without nextUpdate', [], await sign({ nextUpdate: undefined }), invalid],
    ['without exp', [], await sign({ exp: undefined }), invalid],
    ['that is the first and follows one', [], await sign({ previous: hashChain([first]) }), invalid],
    ['that is the second and follows none', [first], await after(first, { previous: undefined }), invalid],
    ['with the typ of a credential', [], await signClaims(acme, jwtTypes.credential, { sequence: 1 }), invalid],
  ]
  return cases.map(([name, held, order, expect]) => ({ name, held, order, hash: hashChain([order]), expect }))
}

/** Writes orders.json. */
export async function renderOrderVectors(): Promise<string> {
  return printVectors(
    'Orders as they come to a node with these anchors that holds others.',
    { nowMs, anchors: anchorList },
    { orders: await createOrderVectors() },
  )
}
