import { createKeySigner, generateSeed, hashChain, signDelegation, type DelegateRequest } from '@parley/identity'
import { describe, expect, it } from 'vitest'
import { flights, openAgency, trips } from '../integration/agency.ts'
import { createRogue } from '../integration/rogue.ts'
import { shop, soundServes } from '../integration/shop.ts'
import { openAttackLab, type AttackLab } from './attack-lab.ts'
import { measureImpact, refusedWith, type Impact } from './impact.ts'
import { resign, type Fields } from './tokens.ts'

// Attacks by who may call, with a chain that is not what it should be. What links say is held together before any of
// their signatures is checked.

const refused = (code: string, checks: number, more: Partial<Impact> = {}): Impact =>
  refusedWith(code, checks, { answers: 1, ...more })
/** What the attacker itself signed is evidence about it, and about nobody else. */
const itself: Partial<Impact> = { trust: ['acme/rogue'] }

/** The owner's link for the attacker. */
const rootFor = (lab: AttackLab, more: Partial<DelegateRequest> = {}): Promise<readonly string[]> =>
  lab.mesh.issuer.delegate({ to: 'acme/rogue', capabilities: ['shop:buy'], forMs: 600_000, ...more })

/** A further link, which the attacker signs and hands to itself, with whatever claims it wants. */
async function handOn(lab: AttackLab, above: readonly string[], claims: Fields = {}, signer = lab.rogue.signer) {
  const self = { owner: lab.mesh.issuer.owner, name: 'acme/rogue' }
  const { credential, statement } = lab.rogue.issued
  const bound = { iss: signer.did, jti: 'further', delegator: self, delegate: self, parent: hashChain(above) }
  const link = await resign(above[0] ?? '', signer, { claims: { ...bound, credential, statement, ...claims } })
  return [...above, link]
}

let counter = 0
/** Lets the attacker buy under a chain. */
function actUnder(lab: AttackLab, links: readonly string[], header: Fields = {}, node = lab.counter): Promise<Impact> {
  counter += 1
  const chain = { chain: hashChain(links), links }
  const request = lab.buying(counter, { to: node.instance, ...chain, ...header })
  return lab.attack(() => lab.rogue.send(node.instance, request), node)
}

describe('a chain', () => {
  it('widened chain: by what it grants, for how long, by a constraint or an allowance that is gone (T36)', async () => {
    await using lab = await openAttackLab()
    const bounded = { constraints: { item: { in: ['lamp'] } }, allowance: { calls: 3 }, forMs: 60_000 } as const
    const root = await rootFor(lab, bounded)
    const nowSeconds = Math.floor(lab.mesh.clock.now() / 1_000)
    for (const claims of [
      { capabilities: ['shop:buy', 'shop:burn'] },
      { capabilities: ['shop:look'] },
      { constraints: {} },
      { constraints: { item: { in: ['lamp', 'safe'] } } },
      { allowance: undefined },
      { allowance: { calls: 4 } },
      { exp: nowSeconds + 601 },
      { nbf: nowSeconds - 1, iat: nowSeconds - 1 },
    ])
      expect(await actUnder(lab, await handOn(lab, root, claims)), JSON.stringify(claims)).toEqual(
        refused('delegation.widened', 1, itself),
      )
    const wild = await handOn(lab, root, { capabilities: ['shop:*'] })
    expect(await actUnder(lab, wild)).toEqual(refused('delegation.invalid', 1))
  })

  it('missing link: left out, in another order, twice, or only named', async () => {
    await using lab = await openAttackLab()
    const root = await rootFor(lab)
    const three = await handOn(lab, await handOn(lab, root))
    const [first = '', second = '', third = ''] = three
    for (const links of [[first, third], [second, third], [third], [second, first, third], [first, first]])
      expect(await actUnder(lab, links)).toEqual(refused('delegation.invalid', 1))
    expect(await actUnder(lab, three, { links: undefined })).toEqual(refused('delegation.unknown', 1))
    expect(await actUnder(lab, [first, second], { chain: hashChain(three) })).toEqual(refused('delegation.invalid', 5))
    // Whole, it holds: one check for the root, three for each link with its credential and statement.
    expect(await actUnder(lab, three)).toMatchObject({ delivered: ['buy'], checks: 8 })
  })

  it('unknown signer: at the root or below, in its own name or in that of another', async () => {
    await using lab = await openAttackLab()
    const root = await rootFor(lab)
    const stranger = createKeySigner(generateSeed(lab.mesh.random))
    const inOwnName = await resign(root[0] ?? '', stranger, { claims: { iss: stranger.did, delegator: stranger.did } })
    expect(await actUnder(lab, [inOwnName])).toEqual(refused('identity.owner-unknown', 1))
    const asOwner = await resign(root[0] ?? '', stranger, {})
    expect(await actUnder(lab, [asOwner])).toEqual(refused('delegation.invalid', 2))
    const below = await handOn(lab, root, {}, stranger)
    expect(await actUnder(lab, below)).toEqual(refused('delegation.invalid', 2))
    const asAgent = await handOn(lab, root, { iss: lab.rogue.did }, stranger)
    expect(await actUnder(lab, asAgent)).toEqual(refused('delegation.invalid', 5))
    const other = await createRogue(lab.mesh, 'acme/other')
    const stolen = await handOn(lab, root, { iss: other.did, ...pick(other.issued) }, other.signer)
    expect(await actUnder(lab, stolen)).toEqual(refused('delegation.invalid', 4))
  })

  it('root without right: of an accepted owner that may not grant this here', async () => {
    await using lab = await openAttackLab()
    const owner = createKeySigner(generateSeed(lab.mesh.random))
    const partner = { owner: owner.did, alias: 'globex', issues: ['globex/*'], roots: ['pay:*'] } as const
    const node = await lab.mesh.node('acme/broad', {
      anchors: [lab.mesh.issuer.anchor, partner],
      serves: [shop],
      serve: (one) => {
        one.serve(shop, soundServes)
      },
    })
    const session = await lab.rogue.shake(node.instance)
    const nowMs = lab.mesh.clock.now()
    const links = await signDelegation(owner, {
      id: 'root',
      delegate: { owner: lab.mesh.issuer.owner, name: 'acme/rogue' },
      capabilities: ['shop:buy'],
      notBeforeMs: nowMs,
      expiresAtMs: nowMs + 60_000,
    })
    expect(await actUnder(lab, links, { session }, node)).toEqual(refused('delegation.root-not-accepted', 2))
  })

  it('expired: a link that is over, or not yet valid', async () => {
    await using lab = await openAttackLab()
    const root = await rootFor(lab)
    const nowSeconds = Math.floor(lab.mesh.clock.now() / 1_000)
    for (const times of [
      { iat: nowSeconds - 600, nbf: nowSeconds - 600, exp: nowSeconds - 60 },
      { nbf: nowSeconds + 90, exp: nowSeconds + 300 },
    ]) {
      const links = [await resign(root[0] ?? '', lab.owner, { claims: times })]
      expect(await actUnder(lab, links)).toEqual(refused('delegation.expired', 1))
    }
  })

  it('over-long life: of a link that outlives the one above', async () => {
    await using lab = await openAttackLab()
    const root = await rootFor(lab, { forMs: 3_600_000 })
    expect(await actUnder(lab, await handOn(lab, root))).toMatchObject({ delivered: ['buy'] })
    const longer = await handOn(lab, root, { exp: Math.floor(lab.mesh.clock.now() / 1_000) + 7_200 })
    expect(await actUnder(lab, longer)).toEqual(refused('delegation.widened', 1, itself))
  })

  it('oversize everything: a chain of six links, and one of five with the longest tokens', async () => {
    await using lab = await openAttackLab()
    const root = await rootFor(lab)
    const links = Array.from({ length: 5 }, () => 'x'.repeat(6_000))
    expect(await actUnder(lab, links)).toEqual(refused('delegation.invalid', 1))
    const six = await lab.frame(lab.buying(999, { links: Array.from({ length: 6 }, () => root[0]) }))
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), six))).toEqual(refusedWith('iatp.header-invalid', 1))
  })

  it('label removed along the chain: by a link, or by the request', async () => {
    await using lab = await openAttackLab()
    const root = await rootFor(lab, { labels: ['pii', 'eu-only'] })
    for (const labels of [undefined, [], ['pii'], ['PII', 'eu-only']])
      expect(await actUnder(lab, await handOn(lab, root, { labels }), { labels: ['pii', 'eu-only'] })).toEqual(
        refused('delegation.label-removed', 1),
      )
    expect(await actUnder(lab, root, { labels: ['pii'] })).toEqual(refused('delegation.label-removed', 2))
    // The chain is known by now: what was verified is not checked again, what is asked is.
    expect(await actUnder(lab, root, { links: undefined })).toEqual(refused('delegation.label-removed', 1))
    expect(await actUnder(lab, root, { labels: ['pii', 'eu-only'] })).toMatchObject({ delivered: ['buy'], checks: 1 })
  })

  it('allowance spent twice: one after the other, at once, or under another name of the chain', async () => {
    await using lab = await openAttackLab()
    const at = { owner: lab.mesh.issuer.owner, name: 'acme/shop' as const }
    const root = await rootFor(lab, { allowance: { calls: 1, at } })
    const further = await handOn(lab, root)
    const [one, two] = [lab.buying(901), lab.buying(902)].map((request) => ({
      ...request,
      header: { ...request.header, chain: hashChain(root), links: root },
    }))
    const atOnce = await lab.frame(...[one, two].flatMap((request) => request ?? []))
    const impact = await lab.attack(() => lab.rogue.publish(lab.inbox(), atOnce))
    expect(impact).toMatchObject({ delivered: ['buy'], effects: ['sold lamp'], checks: 2 })
    expect(impact.codes).toEqual(['delegation.allowance-spent'])
    counter = 910
    expect(await actUnder(lab, root)).toEqual(refused('delegation.allowance-spent', 1))
    expect(await actUnder(lab, further)).toEqual(refused('delegation.allowance-spent', 5))
    expect(lab.effects).toEqual(['sold lamp'])
  })
})

describe('an agent that acts for others', () => {
  it('confused deputy: does with its own right nothing for who has none (T36)', async () => {
    const delivered: string[] = []
    await using open = await openAgency(async (hop, agency) => {
      delivered.push('plan')
      await agency.tryCall(flights.reserve, { to: 'SFO', amount: 1 })
      return hop.tryCall(flights.reserve, { to: 'SFO', amount: 100 })
    })
    const rogue = await createRogue(open.mesh, 'acme/rogue', { calls: ['trips:plan'] })
    const session = await rogue.shake(open.agency.instance)
    const notes = { delivered, effects: [] }
    const ask = (): unknown => rogue.send(open.agency.instance, rogue.request(session, 1, trips.plan))
    const impact = await measureImpact(open.mesh, open.agency, notes, ask)
    expect(impact).toMatchObject({ delivered: ['plan'], effects: [], answers: 1, checks: 1 })
    expect(impact.codes).toEqual(['delegation.not-handed-on', 'delegation.not-handed-on'])
    expect(open.reserved).toEqual([])
    expect(rogue.last().body).toMatchObject({ outcome: { output: { ended: 'delegation.not-handed-on' } } })
  })
})

const pick = ({ credential, statement }: AttackLab['rogue']['issued']): Fields => ({ credential, statement })
