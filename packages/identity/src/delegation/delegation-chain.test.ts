import { createManualClock, createSeededRandom, type IssuedCredential } from '@parley/ports'
import type { AgentId, AgentName } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createAnchors } from '../credential/anchor.ts'
import { createLocalIssuer, type LocalIssuer } from '../issuer/local-issuer.ts'
import { jwtTypes } from '../jwt/jwt-type.ts'
import { signJwt } from '../jwt/sign-jwt.ts'
import { createKeySigner, type KeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import { hashChain } from './chain-hash.ts'
import { chainGrants, verifyDelegationChain } from './delegation-chain.ts'
import { type Delegation, extendDelegation, signDelegation } from './delegation.ts'

const random = createSeededRandom(21)
const clock = createManualClock()
const nowMs = clock.now()
const minute = 60_000
const acme = createLocalIssuer({ alias: 'acme', clock, random })
const globex = createLocalIssuer({ alias: 'globex', clock, random, roots: ['pay:*'] })
const anchors = createAnchors([acme.anchor, globex.anchor])

interface Party extends IssuedCredential {
  readonly agent: AgentId
  readonly signer: KeySigner
}

async function createParty(issuer: LocalIssuer, name: AgentName): Promise<Party> {
  const signer = createKeySigner(generateSeed(random))
  const issued = await issuer.issue({ name, instance: signer.did, serves: [], calls: [] })
  return { ...issued, signer, agent: { owner: issuer.owner, name } }
}

const trips = await createParty(acme, 'acme/trips')
const flights = await createParty(acme, 'acme/flights')
const pay = await createParty(globex, 'globex/pay')

const rootLinks = await acme.delegate({
  to: 'acme/trips',
  capabilities: ['flights:reserve', 'pay:charge'],
  constraints: { amount: { max: 500 } },
  forMs: 10 * minute,
})

function grantTo(party: Party, more: Partial<Delegation> = {}): Delegation {
  return {
    id: Buffer.from(random.bytes(9)).toString('base64url'),
    delegate: party.agent,
    capabilities: ['flights:reserve'],
    notBeforeMs: nowMs,
    expiresAtMs: nowMs + 10 * minute,
    ...more,
  }
}

/** Signs any link, as a dishonest agent with a real credential can. */
function forgeLink(signer: KeySigner, parent: readonly string[], by: Party, claims: object): Promise<string> {
  return signJwt(signer, jwtTypes.delegation, {
    iat: nowMs / 1000,
    nbf: nowMs / 1000,
    exp: nowMs / 1000 + 300,
    jti: 'forged',
    delegate: flights.agent,
    capabilities: ['flights:reserve'],
    constraints: { amount: { max: 500 } },
    delegator: by.agent,
    parent: hashChain(parent),
    credential: by.credential,
    statement: by.statement,
    ...claims,
  })
}

const verifyFor = (party: Party, links: readonly string[], at = nowMs): ReturnType<typeof verifyDelegationChain> =>
  verifyDelegationChain(links, { anchors, nowMs: at, delegate: party.agent })

describe('verifyDelegationChain', () => {
  it('accepts what an owner gave its agent', () => {
    expect(verifyFor(trips, rootLinks)).toMatchObject({
      kind: 'allow',
      chain: {
        hash: hashChain(rootLinks),
        root: acme.owner,
        agents: [trips.agent],
        capabilities: ['flights:reserve', 'pay:charge'],
        constraints: { amount: { max: 500 } },
        expiresAtMs: nowMs + 10 * minute,
        depth: 1,
      },
    })
  })

  it('accepts a chain across owners and carries every constraint down', async () => {
    const second = await extendDelegation(rootLinks, grantTo(pay, { capabilities: ['pay:charge'] }), trips)
    const third = await extendDelegation(
      second,
      grantTo(flights, {
        capabilities: ['pay:charge:eur'],
        constraints: { amount: { max: 400 }, currency: { in: ['EUR'] } },
      }),
      pay,
    )
    expect(verifyFor(flights, third)).toMatchObject({
      kind: 'allow',
      chain: {
        agents: [trips.agent, pay.agent, flights.agent],
        capabilities: ['pay:charge:eur'],
        constraints: { amount: { max: 400 }, currency: { in: ['EUR'] } },
        depth: 3,
        links: [{ owner: acme.owner }, { owner: acme.owner }, { owner: globex.owner }],
        credentials: [{ name: 'acme/trips' }, { name: 'globex/pay' }],
      },
    })
  })

  it('accepts five links and refuses six', async () => {
    const parties = [trips, flights, trips, flights, trips, flights]
    const outcomes: string[] = []
    let links = rootLinks
    for (const [index, to] of parties.entries()) {
      if (index > 0) links = await extendDelegation(links, grantTo(to), parties[index - 1] ?? to)
      const verdict = verifyFor(to, links)
      outcomes.push(verdict.kind === 'deny' ? verdict.code : `depth ${verdict.chain.depth}`)
    }
    expect(outcomes).toEqual(['depth 1', 'depth 2', 'depth 3', 'depth 4', 'depth 5', 'delegation.too-deep'])
  })

  it('refuses an empty chain', () => {
    expect(verifyFor(trips, [])).toMatchObject({ code: 'delegation.invalid' })
  })

  it('refuses another presenter than the last delegate, also one of the same name under another owner', () => {
    expect(verifyFor(flights, rootLinks)).toMatchObject({ code: 'delegation.wrong-delegate' })
    const twin: Party = { ...trips, agent: { owner: globex.owner, name: 'acme/trips' } }
    expect(verifyFor(twin, rootLinks)).toMatchObject({ code: 'delegation.wrong-delegate' })
  })

  it('refuses a root that no anchor accepts', async () => {
    const stranger = createKeySigner(generateSeed(random))
    const links = await signDelegation(stranger, grantTo(trips))
    expect(verifyFor(trips, links)).toMatchObject({ code: 'identity.owner-unknown' })
  })

  it('refuses a root link that somebody else signed in the name of the owner', async () => {
    const links = await signDelegation({ ...trips.signer, did: acme.owner }, grantTo(trips))
    expect(verifyFor(trips, links)).toMatchObject({ code: 'delegation.invalid' })
  })

  it('refuses a chain that starts with the link of an agent', async () => {
    const second = await extendDelegation(rootLinks, grantTo(flights), trips)
    expect(verifyFor(flights, second.slice(1))).toMatchObject({ code: 'delegation.invalid' })
  })

  it('refuses the root link twice, links out of order, and a link grafted on another chain', async () => {
    const second = await extendDelegation(rootLinks, grantTo(flights), trips)
    const otherRoot = await acme.delegate({
      to: 'acme/trips',
      capabilities: ['flights:reserve', 'pay:charge'],
      constraints: { amount: { max: 500 } },
      forMs: 10 * minute,
    })
    for (const links of [[...rootLinks, ...second], second.toReversed(), [...otherRoot, ...second.slice(1)]]) {
      expect(verifyFor(flights, links)).toMatchObject({ kind: 'deny', code: 'delegation.invalid' })
    }
  })

  it('refuses a link by an agent that is not the delegate of the link above', async () => {
    const signedByPay = await forgeLink(pay.signer, rootLinks, pay, {})
    const claimingTrips = await forgeLink(pay.signer, rootLinks, pay, { delegator: trips.agent })
    const withTripsCredential = await forgeLink(pay.signer, rootLinks, trips, {})
    const inNameOfTrips = await forgeLink({ ...pay.signer, did: trips.signer.did }, rootLinks, trips, {})
    for (const link of [signedByPay, claimingTrips, withTripsCredential, inNameOfTrips]) {
      expect(verifyFor(flights, [...rootLinks, link])).toMatchObject({ kind: 'deny', code: 'delegation.invalid' })
    }
  })

  it.each([
    ['a capability that the parent lacks', { capabilities: ['flights:cancel'] }],
    ['a broader capability', { capabilities: ['flights:reserve', 'hotels:book'] }],
    ['a longer life', { exp: nowMs / 1000 + 601 }],
    ['an earlier start', { nbf: nowMs / 1000 - 1 }],
    ['a dropped constraint', { constraints: {} }],
    ['no constraints at all', { constraints: undefined }],
    ['a looser constraint', { constraints: { amount: { max: 501 } } }],
    ['a constraint of another kind', { constraints: { amount: { min: 1 } } }],
    ['a constraint on another argument', { constraints: { amounts: { max: 500 } } }],
  ])('refuses a link with %s as widened', async (_, claims) => {
    const links = [...rootLinks, await forgeLink(trips.signer, rootLinks, trips, claims)]
    expect(verifyFor(flights, links)).toMatchObject({ kind: 'deny', code: 'delegation.widened' })
  })

  it.each([
    ['a bare star', { capabilities: ['*'] }],
    ['a pattern of a service', { capabilities: ['flights:*'] }],
    ['nothing', { capabilities: [] }],
    ['constraints that are a list', { constraints: [500] }],
    ['a constraint under __proto__', { constraints: JSON.parse('{"__proto__":{"max":500}}') as object }],
    ['an empty condition', { constraints: { amount: {} } }],
    ['a bound that is a text', { constraints: { amount: { max: '500' } } }],
    ['an allowance of nothing', { allowance: {} }],
    ['an allowance below zero', { allowance: { calls: -1 } }],
    ['an allowance of money without a currency', { allowance: { money: { amount: '5' } } }],
    ['a delegate without an owner', { delegate: { name: 'acme/flights' } }],
    ['no id', { jti: undefined }],
    ['no start', { nbf: undefined }],
    ['no parent', { parent: undefined }],
    ['no credential', { credential: undefined }],
    ['no statement', { statement: undefined }],
  ])('refuses a link with %s', async (_, claims) => {
    const links = [...rootLinks, await forgeLink(trips.signer, rootLinks, trips, claims)]
    expect(verifyFor(flights, links)).toMatchObject({ kind: 'deny', code: 'delegation.invalid' })
  })

  it('refuses a pattern in the first link too', async () => {
    const claims = { delegator: acme.owner, parent: undefined, credential: undefined, statement: undefined }
    const owner = createKeySigner(generateSeed(random))
    const link = await forgeLink(owner, [], trips, { ...claims, delegator: owner.did, capabilities: ['flights:*'] })
    expect(verifyFor(flights, [link])).toMatchObject({ code: 'delegation.invalid' })
    await expect(signDelegation(owner, grantTo(trips, { capabilities: ['flights:*'] }))).rejects.toMatchObject({
      code: 'delegation.invalid',
    })
  })

  it('refuses a chain whose link, or whose signer’s credential, is expired', async () => {
    expect(verifyFor(trips, rootLinks, nowMs + 12 * minute)).toMatchObject({ code: 'delegation.expired' })
    const long = await acme.delegate({ to: 'acme/trips', capabilities: ['flights:reserve'], forMs: 60 * minute })
    const second = await extendDelegation(long, grantTo(flights, { expiresAtMs: nowMs + 60 * minute }), trips)
    expect(verifyFor(flights, second)).toMatchObject({ chain: { expiresAtMs: nowMs + 15 * minute } })
    expect(verifyFor(flights, second, nowMs + 17 * minute)).toMatchObject({ code: 'delegation.expired' })
  })

  it('answers any texts with a value', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 6 }), (links) => {
        expect(verifyFor(trips, links).kind).toBe('deny')
      }),
    )
  })

  it('never lets a chain of random links grant what its root does not', async () => {
    const universe = ['flights:reserve', 'flights:reserve:sfo', 'flights:cancel', 'pay:charge', 'pay:charge:eur']
    const capabilities = fc.uniqueArray(fc.constantFrom(...universe), { minLength: 1 })
    await fc.assert(
      fc.asyncProperty(capabilities, capabilities, async (first, second) => {
        const root = await acme.delegate({ to: 'acme/trips', capabilities: first, forMs: 10 * minute })
        const link = await forgeLink(trips.signer, root, trips, { capabilities: second })
        const [upper, lower] = [verifyFor(trips, root), verifyFor(flights, [...root, link])]
        const grants = (verdict: typeof upper): readonly string[] =>
          verdict.kind === 'deny'
            ? []
            : universe.filter((capability) => chainGrants(verdict.chain, capability).kind === 'allow')
        expect(grants(upper)).toEqual(expect.arrayContaining([...first, ...grants(lower)]))
        const narrows = second.every((capability) => grants(upper).includes(capability))
        expect(lower.kind).toBe(narrows ? 'allow' : 'deny')
      }),
      { numRuns: 40 },
    )
  })
})

describe('extendDelegation', () => {
  it('refuses to sign more than the last link grants', async () => {
    for (const more of [
      { capabilities: ['flights:cancel'] },
      { expiresAtMs: nowMs + 11 * minute },
      { constraints: { amount: { max: 1000 } } },
    ]) {
      await expect(extendDelegation(rootLinks, grantTo(flights, more), trips)).rejects.toMatchObject({
        code: 'delegation.widened',
      })
    }
  })

  it('refuses to extend nothing, or what is no chain', async () => {
    for (const links of [[], ['no link']])
      await expect(extendDelegation(links, grantTo(flights), trips)).rejects.toMatchObject({
        code: 'delegation.invalid',
      })
  })
})

describe('signDelegation', () => {
  it.each([
    ['no capability', { capabilities: [] }, 'delegation.invalid'],
    ['a delegate that is no agent', { delegate: { owner: 'acme', name: 'trips' } }, 'delegation.invalid'],
    ['labels that are no set', { labels: ['pii', 'pii'] }, 'delegation.invalid'],
    ['a constraint that is no condition', { constraints: { amount: 5 } }, 'delegation.invalid'],
    ['a constraint of an unknown kind', { constraints: { amount: { like: 5 } } }, 'delegation.constraint-unknown'],
    ['an allowance of nothing', { allowance: {} }, 'delegation.invalid'],
  ] as const)('signs no link with %s', async (_, more, code) => {
    const owner = createKeySigner(generateSeed(random))
    const signing = signDelegation(owner, grantTo(trips, more as unknown as Partial<Delegation>))
    await expect(signing).rejects.toMatchObject({ code })
  })
})

describe('chainGrants', () => {
  it('grants the capabilities of the last link and what is narrower', () => {
    const verdict = verifyFor(trips, rootLinks)
    if (verdict.kind === 'deny') throw new Error(verdict.reason)
    expect(chainGrants(verdict.chain, 'flights:reserve').kind).toBe('allow')
    expect(chainGrants(verdict.chain, 'flights:reserve:sfo').kind).toBe('allow')
    expect(chainGrants(verdict.chain, 'flights:reserves')).toMatchObject({ code: 'delegation.not-granted' })
    expect(chainGrants(verdict.chain, 'flights:reserve:*')).toMatchObject({ code: 'delegation.not-granted' })
    expect(chainGrants(verdict.chain, 'flights:cancel')).toMatchObject({ code: 'delegation.not-granted' })
  })

  it('refuses a capability of which the owner may not be the root here', async () => {
    const links = await globex.delegate({
      to: 'globex/pay',
      capabilities: ['flights:reserve', 'pay:charge'],
      forMs: 1000,
    })
    const verdict = verifyFor(pay, links)
    if (verdict.kind === 'deny') throw new Error(verdict.reason)
    expect(chainGrants(verdict.chain, 'pay:charge').kind).toBe('allow')
    expect(chainGrants(verdict.chain, 'flights:reserve')).toMatchObject({ code: 'delegation.root-not-accepted' })
  })
})

describe('hashChain', () => {
  it('never gives two chains that run together the same name', () => {
    const texts = fc.array(fc.string({ maxLength: 3 }), { maxLength: 4 })
    fc.assert(
      fc.property(texts, texts, (left, right) => {
        expect(hashChain(left) === hashChain(right)).toBe(JSON.stringify(left) === JSON.stringify(right))
      }),
    )
    expect(hashChain(['ab', 'c'])).not.toBe(hashChain(['a', 'bc']))
  })

  it('is SHA-256 over u32 lengths and bytes', () => {
    // SHA-256 of 00 00 00 03 61 62 63.
    expect(Buffer.from(hashChain(['abc']), 'base64url').toString('hex')).toBe(
      'd04b72a650ce0f8ce4963330a53ee2832733d2baeffff3c1d8e256cca096d120',
    )
  })
})
