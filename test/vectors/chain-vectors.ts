import { hashChain, jwtTypes, type KeySigner } from '@parley/identity'
import {
  acme,
  anchorList,
  desk,
  evil,
  globex,
  nowSeconds,
  planes,
  signClaims,
  signDeskCredential,
  signStatement,
  type Claims,
} from './token-parties.ts'
import { nowMs, printVectors } from './vector-kit.ts'

/** A chain, who acts under it, and for what at whom. */
export interface ChainVector {
  readonly name: string
  /** Root first. */
  readonly links: readonly string[]
  readonly delegate: { readonly owner: string; readonly name: string }
  readonly capability: string
  /** Who is asked, and with what. */
  readonly callee: { readonly owner: string; readonly name: string }
  readonly input: unknown
  readonly hash: string
  readonly expect: string
}

const deskId = { owner: acme.did, name: 'acme/desk' }
const planesId = { owner: acme.did, name: 'acme/planes' }
const payId = { owner: globex.did, name: 'globex/pay' }

/** Lists chains: those that hold, and each way of being wrong. */
export async function createChainVectors(): Promise<readonly ChainVector[]> {
  const [credential, statement] = [await signDeskCredential(), await signStatement()]
  const root = (more: Claims = {}, owner: KeySigner = acme): Promise<string> =>
    signClaims(owner, jwtTypes.delegation, {
      nbf: nowSeconds,
      jti: 'root',
      delegate: deskId,
      capabilities: ['flights:reserve', 'hotels:reserve'],
      constraints: { amount: { max: 500 } },
      labels: ['pii'],
      delegator: owner.did,
      ...more,
    })
  const first = await root()
  const further = (more: Claims = {}, above: readonly string[] = [first], signer: KeySigner = desk): Promise<string> =>
    signClaims(signer, jwtTypes.delegation, {
      nbf: nowSeconds,
      exp: nowSeconds + 300,
      jti: 'further',
      delegate: planesId,
      capabilities: ['flights:reserve'],
      constraints: { amount: { max: 500 } },
      labels: ['pii'],
      delegator: deskId,
      parent: hashChain(above),
      credential,
      statement,
      ...more,
    })
  const second = await further()
  const otherRoot = await root({ jti: 'other' })
  const byEvil = await root({}, evil)
  const payRoot = await root({ capabilities: ['flights:reserve'] }, globex)
  const [head = '', payload = '', signature = ''] = second.split('.')
  const flipped = `${head}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
  const input = { amount: 500 }
  const own = (name: string, link: string, expect: string, capability = 'flights:reserve') =>
    ({ name, links: [link], delegate: deskId, capability, callee: payId, input, expect }) as const
  const handed = (name: string, link: string, expect: string, capability = 'flights:reserve') =>
    ({ name, links: [first, link], delegate: planesId, capability, callee: payId, input, expect }) as const
  const widened = 'delegation.widened'
  const invalid = 'delegation.invalid'
  const unknown = 'delegation.constraint-unknown'
  const violated = 'delegation.constraint-violated'
  const shared = await root({ allowance: { calls: 3, money: { amount: '20.5', currency: 'EUR' } } })
  const byPay = await root({ allowance: { tokens: 900, at: payId } })
  const part = { calls: 3, money: { amount: '20.50', currency: 'EUR' } }
  const more = { calls: 3, money: { amount: '20.51', currency: 'EUR' } }
  const under = (name: string, above: string, link: string, expect: string) =>
    ({ ...handed(name, link, expect), links: [above, link] }) as const
  const bounded = { to: { in: ['SFO', 'LAX'] }, amount: { min: 100 } }
  const chosen = await root({ constraints: bounded })
  const choosing = (constraints: object): Promise<string> => further({ constraints }, [chosen])
  const cases = [
    own('of one link', first, 'allow'),
    own('for what is narrower at a colon', first, 'allow', 'flights:reserve:sfo'),
    handed('of two links', second, 'allow'),
    handed('with a label more', await further({ labels: ['pii', 'eu-only'] }), 'allow'),
    handed('for what the last link does not grant', second, 'delegation.not-granted', 'hotels:reserve'),
    own('for what only starts the same', first, 'delegation.not-granted', 'flights:reserves'),
    own('by a root that may not grant this here', payRoot, 'delegation.root-not-accepted'),
    own('by a root that is not accepted', byEvil, 'identity.owner-unknown'),
    { ...own('given to another', first, 'delegation.wrong-delegate'), delegate: planesId },
    own('that grants a pattern', await root({ capabilities: ['flights:*'] }), invalid),
    own('that grants nothing', await root({ capabilities: [] }), invalid),
    own('without exp', await root({ exp: undefined }), invalid),
    own('without an id', await root({ jti: undefined }), invalid),
    own('without a start', await root({ nbf: undefined }), invalid),
    own(
      'expired',
      await root({ iat: nowSeconds - 300, nbf: nowSeconds - 300, exp: nowSeconds - 61 }),
      'delegation.expired',
    ),
    own('not yet valid', await root({ nbf: nowSeconds + 61 }), 'delegation.expired'),
    own('that is a credential', credential, invalid),
    own('with labels that are no set', await root({ labels: ['pii', 'pii'] }), invalid),
    { ...own('without links', first, invalid), links: [] },
    { ...own('whose first link is an agent’s', second, invalid), delegate: planesId },
    { ...handed('with links in another order', second, invalid), links: [second, first] },
    { ...handed('with a missing link', second, invalid), links: [otherRoot, second] },
    {
      ...handed('of six links', second, 'delegation.too-deep'),
      links: [first, second, second, second, second, second],
    },
    handed('with another signature', flipped, invalid),
    handed('signed by another than its credential names', await further({}, [first], planes), invalid),
    handed('signed by an agent that is not the delegate above', await further({ delegator: planesId }), invalid),
    handed('without a credential of its signer', await further({ credential: undefined }), invalid),
    handed('under another parent', await further({}, [otherRoot]), invalid),
    handed('that grants more', await further({ capabilities: ['flights:reserve', 'flights:cancel'] }), widened),
    handed('that grants what is broader', await further({ capabilities: ['flights:reserves'] }), widened),
    handed('that drops a constraint', await further({ constraints: {} }), widened),
    handed('that loosens a constraint', await further({ constraints: { amount: { max: 1000 } } }), widened),
    {
      ...under('that narrows its constraints', chosen, await choosing({ ...bounded, to: { in: ['LAX'] } }), 'allow'),
      input: { to: 'LAX', amount: 100 },
    },
    under('that adds a choice', chosen, await choosing({ ...bounded, to: { in: ['SFO', 'ZRH'] } }), widened),
    under('that lowers a least', chosen, await choosing({ ...bounded, amount: { min: 99 } }), widened),
    own('with a constraint of an unknown kind', await root({ constraints: { amount: { like: '5' } } }), unknown),
    own('with a constraint that is no condition', await root({ constraints: { amount: 500 } }), invalid),
    { ...own('with an argument above its constraint', first, violated), input: { amount: 501 } },
    { ...own('with an argument that is missing', first, violated), input: {} },
    { ...own('with an argument of another type', first, violated), input: { amount: '500' } },
    own('with an allowance', shared, 'allow'),
    { ...own('with an allowance for this callee', byPay, 'allow'), callee: payId },
    { ...own('with an allowance for another callee', byPay, 'delegation.wrong-callee'), callee: planesId },
    own('with an allowance of an unknown part', await root({ allowance: { calls: 1, joules: 3 } }), unknown),
    own('with an allowance of nothing', await root({ allowance: {} }), invalid),
    own(
      'with an amount that is no text',
      await root({ allowance: { money: { amount: 1, currency: 'EUR' } } }),
      invalid,
    ),
    under('that hands on a part of an allowance', shared, await further({ allowance: part }, [shared]), 'allow'),
    under('that hands on more than its allowance', shared, await further({ allowance: more }, [shared]), widened),
    under(
      'that hands on a call more than its allowance',
      shared,
      await further({ allowance: { ...part, calls: 4 } }, [shared]),
      widened,
    ),
    under(
      'that hands on an allowance for another payee',
      byPay,
      await further({ allowance: { tokens: 900, at: planesId } }, [byPay]),
      widened,
    ),
    under('that drops an allowance', shared, await further({}, [shared]), widened),
    handed('that outlives its parent', await further({ exp: nowSeconds + 601 }), widened),
    handed('that drops a label', await further({ labels: undefined }), 'delegation.label-removed'),
  ]
  return cases.map((entry) => ({ ...entry, hash: hashChain(entry.links) }))
}

/** Writes chains.json. */
export async function renderChainVectors(): Promise<string> {
  return printVectors(
    'Delegation chains, root first, as a callee with these anchors judges them for a delegate and a capability.',
    { nowMs, anchors: anchorList },
    { chains: await createChainVectors() },
  )
}
