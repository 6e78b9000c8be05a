import { systemHash } from '@parley/ports'
import { formatInstanceToken, signingDomains } from '@parley/protocol'
import { localIssuer, type LocalMesh, type MeshNode } from '@parley/mesh'
import type { TestNodeOptions } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { createRogue, type Rogue } from './rogue.ts'
import { openShop, shop, soundServes, type ShopMesh } from './shop.ts'
import { tapWire } from './wire.ts'

const flushMs = 150

/** A shop that sells all but what is broken, a desk that calls it, and a back office that only hears. */
async function openSharing(options: TestNodeOptions = {}): Promise<ShopMesh & { readonly office: MeshNode }> {
  const trust = { share: 'owner', ...options.trust } as const
  const buy: (typeof soundServes)['buy'] = ({ item }) => {
    if (item === 'broken') throw new Error('broken')
    return { receipt: item }
  }
  const open = await openShop({ buy }, { desk: { ...options, trust } })
  const office = await open.mesh.node('acme/office', { ...options, calls: [shop.look], trust })
  return { ...open, office }
}

const countAt = async (node: MeshNode): Promise<number> => (await node.trust.explain('acme/shop'))?.evidenceCount ?? -1

async function buy(open: ShopMesh, times: number, item = 'lamp'): Promise<void> {
  for (let time = 0; time < times; time++) {
    await open.buy(item)
    await open.mesh.clock.advance(flushMs)
  }
}

/** How often each code was refused so far at a node. */
async function refusedAt({ mesh }: ShopMesh, node: MeshNode): Promise<Readonly<Record<string, number>>> {
  await mesh.clock.advance(1_100)
  const told = mesh
    .recordsOf(node)
    .flatMap((record) => ('codes' in record ? (record['codes'] as unknown as string[]) : []))
  const counts: Record<string, number> = {}
  for (const [code = '', count] of told.map((one) => one.split('='))) counts[code] = (counts[code] ?? 0) + Number(count)
  return counts
}

/** Writes a batch by hand, as a rogue would; `changes` replace what a sound rater writes. */
async function writeBatch(open: ShopMesh, rogue: Rogue, changes: Readonly<Record<string, unknown>>): Promise<Buffer> {
  const nowMs = open.mesh.clock.now()
  const batch = {
    kind: 'parley-trust/2',
    rater: `${open.mesh.issuer.owner} acme/rogue`,
    did: rogue.did,
    model: 'any',
    first: 1,
    atMs: nowMs,
    previous: '',
    notes: [],
    peers: [`${open.mesh.issuer.owner} acme/shop`],
    capabilities: ['shop:buy'],
    rows: [nowMs, 0, 0, 0],
    starts: {},
    envelopes: 'leaf',
    sights: ['callee failed'],
    ...changes,
  }
  const text = Buffer.from(JSON.stringify(batch))
  const signature = await rogue.signer.sign(signingDomains.evidence, systemHash(text))
  return Buffer.concat([signature, text])
}

function tellingOf(batch: Uint8Array): object {
  return { scope: 'owner', batch: Buffer.from(batch).toString('base64url'), isOldest: false, hasMore: false }
}

describe("trust.share 'owner'", () => {
  it('makes what one agent saw count at the others of its owner as if they had seen it', async () => {
    await using open = await openSharing()
    await buy(open, 3, 'broken')
    const [seen, heard] = [await open.desk.trust.explain('acme/shop'), await open.office.trust.explain('acme/shop')]
    expect(seen).toMatchObject({ evidenceCount: 3, score: 473 })
    expect(heard).toEqual(seen)
    expect(heard?.moved[0]?.rater).toContain(' acme/desk ')
  })

  it('lets a node that was away fetch what it missed, range by range', async () => {
    await using open = await openSharing()
    await buy(open, 1)
    open.mesh.disconnect(open.office)
    await buy(open, 20)
    expect(await countAt(open.office)).toBe(1)
    await open.mesh.reconnect(open.office)
    await open.mesh.clock.advance(100)
    expect(await open.office.trust.explain('acme/shop')).toEqual(await open.desk.trust.explain('acme/shop'))
    expect(await countAt(open.office)).toBe(21)
  })

  it('gives a node that starts later what the others still have, and no more than five minutes of it', async () => {
    await using open = await openSharing()
    await buy(open, 2)
    await open.mesh.clock.advance(301_000)
    await buy(open, 2)
    const trust = { share: 'owner' } as const
    const late = await open.mesh.node('acme/late', { calls: [shop.look], trust })
    await open.mesh.clock.advance(5_000)
    expect([await countAt(open.desk), await countAt(open.office), await countAt(late)]).toEqual([4, 4, 2])
  })

  it('counts what two instances of one agent saw, each in its own order', async () => {
    await using open = await openSharing()
    const trust = { share: 'owner' } as const
    const twin = await open.mesh.node('acme/desk', { calls: [shop.buy], trust })
    for (let time = 0; time < 3; time++) {
      await open.buy()
      await twin.tryCall(shop.buy, { item: 'lamp' })
      await open.mesh.clock.advance(flushMs)
    }
    const views = await Promise.all([open.desk, twin, open.office].map((node) => node.trust.explain('acme/shop')))
    expect(views.map((view) => view?.evidenceCount)).toEqual([6, 6, 6])
    expect(new Set(views.map((view) => view?.score)).size).toBe(1)
  })

  it('is of nobody by default, and is not heard by who does not share', async () => {
    await using open = await openShop({ buy: () => Promise.reject(new Error('broken')) })
    const office = await open.mesh.node('acme/office', { calls: [shop.look], trust: { share: 'owner' } })
    const deaf = await open.mesh.node('acme/deaf', { calls: [shop.look] })
    await buy(open, 2)
    expect([await countAt(office), await countAt(deaf)]).toEqual([0, 0])
  })

  it.each([
    ['forged', 'trust.evidence-forged', (batch: Buffer) => batch.fill(batch[70] ?? 0, 5, 6)],
    ['unsigned', 'trust.evidence-forged', (batch: Buffer) => batch.fill(0, 0, 64)],
    ['cut short', 'trust.evidence-invalid', (batch: Buffer) => batch.subarray(0, batch.length - 1)],
  ])('refuses evidence that is %s, and keeps the score', async (_, code, spoil) => {
    await using open = await openSharing()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    await rogue.emit('evidence', tellingOf(spoil(await writeBatch(open, rogue, {}))))
    expect(await refusedAt(open, open.office)).toMatchObject({ [code]: 1 })
    expect(await countAt(open.office)).toBe(0)
  })

  it.each([
    ['out of range', 'trust.evidence-invalid', { sights: ['measure outputQuality 2'] }],
    ['of no kind that there is', 'trust.evidence-invalid', { sights: ['callee wonderful'] }],
    ['after a gap', 'trust.evidence-gap', { first: 7, previous: 'another' }],
    ['in the name of another agent', 'trust.evidence-forged', { rater: 'did:web:acme.example acme/desk' }],
    ['in the name of another instance', 'trust.evidence-forged', { did: 'did:key:z6MkOther' }],
    ['about an unknown peer', 'trust.peer-unknown', { peers: ['did:web:x.example x/nobody'] }],
  ])('refuses evidence that is %s, and keeps the score', async (_, code, changes) => {
    await using open = await openSharing()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    await rogue.emit('evidence', tellingOf(await writeBatch(open, rogue, changes)))
    expect(await refusedAt(open, open.office)).toMatchObject({ [code]: 1 })
    expect(await countAt(open.office)).toBe(0)
    // What is sound is taken of the same rater.
    await rogue.emit('evidence', tellingOf(await writeBatch(open, rogue, {})))
    expect(await countAt(open.office)).toBe(code === 'trust.peer-unknown' ? 0 : 1)
  })

  it('refuses evidence that is about its rater, from the future, too late, or told twice', async () => {
    await using open = await openSharing()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const nowMs = open.mesh.clock.now()
    const self = [`${open.mesh.issuer.owner} acme/rogue`]
    const sound = tellingOf(await writeBatch(open, rogue, {}))
    const about = (word: string): Readonly<Record<string, unknown>> => ({ rater: `${self[0] ?? ''} ${word}` })
    for (const batch of [
      await writeBatch(open, rogue, { peers: self, ...about('self') }),
      await writeBatch(open, rogue, { atMs: nowMs + 61_000, rows: [nowMs + 61_000, 0, 0, 0], ...about('future') }),
      await writeBatch(open, rogue, { rows: [nowMs - 301_000, 0, 0, 0], ...about('late') }),
    ])
      await rogue.emit('evidence', tellingOf(batch))
    await rogue.emit('evidence', sound)
    await rogue.emit('evidence', sound)
    await rogue.emit('evidence', { scope: 'owner', batch: 7 })
    expect(await refusedAt(open, open.office)).toMatchObject({
      'trust.self-evidence': 1,
      'trust.evidence-from-future': 1,
      'trust.evidence-late': 1,
      'trust.evidence-duplicate': 1,
      'trust.evidence-invalid': 1,
    })
    expect(await countAt(open.office)).toBe(1)
  })

  it('hears no peer more often than 32 times a second, and no answer that it did not ask for', async () => {
    await using open = await openSharing()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const sound = tellingOf(await writeBatch(open, rogue, {}))
    await rogue.emit(`evidence-to-${formatInstanceToken(open.office.instance)}`, sound)
    expect(await refusedAt(open, open.office)).toEqual({ 'iatp.misaddressed': 1 })
    expect(await countAt(open.office)).toBe(0)
    for (let time = 0; time < 40; time++) await rogue.emit('evidence', sound)
    expect(await countAt(open.office)).toBe(1)
    expect(await refusedAt(open, open.office)).toMatchObject({ 'iatp.sender-limited': 8 })
  })

  it('asks three times for what a card says, if nobody answers, and again when it says more', async () => {
    await using open = await openSharing()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const wire = tapWire(open.mesh.bus)
    const topic = `evidence-of-${formatInstanceToken(rogue.did)}`
    const asked = (): number =>
      wire.headers().filter(({ to, from }) => to === topic && from === open.office.instance).length
    const announce = async (upTo: number): Promise<void> => {
      const evidence = { stream: `${open.mesh.issuer.owner} acme/rogue`, upTo }
      await rogue.emit('card', { boot: 'b', serves: {}, leaving: false, evidence })
      await open.mesh.clock.advance(300)
    }
    for (let time = 0; time < 6; time++) await announce(5)
    expect(asked()).toBe(3)
    await announce(6)
    expect(asked()).toBe(4)
  })
})

describe("trust.share 'mesh'", () => {
  async function openZeta(
    open: ShopMesh,
    trust: NonNullable<TestNodeOptions['trust']>,
    more: TestNodeOptions = {},
  ): Promise<[MeshNode, LocalMesh]> {
    const zeta = localIssuer('zeta', { clock: open.mesh.clock, random: open.mesh.random })
    const anchors = [zeta.anchor, open.mesh.issuer.anchor]
    return [await open.mesh.node('zeta/desk', { issuer: zeta, anchors, trust, ...more }), zeta]
  }

  it("takes another owner's evidence as its word, and not within a narrower scope", async () => {
    await using open = await openShop()
    const serve = (node: MeshNode): void => {
      node.serve(shop, soundServes)
    }
    const [wide, zeta] = await openZeta(open, { share: 'mesh' }, { serves: [shop], serve })
    const [narrow] = await openZeta(open, { share: 'owner' })
    // Nobody has orders of acme to tell them: they wait for that as long as they have patience.
    await open.mesh.clock.advance(1_000)
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const session = await rogue.shake(wide.instance)
    await rogue.send(wide.instance, rogue.request(session, 1, shop.look, { body: { item: 'lamp' } }))
    expect(await wide.trust.explain('acme/rogue')).toMatchObject({ evidenceCount: 1 })
    const count = 100
    const rows = Array.from({ length: count }, (_, at) => [at === 0 ? open.mesh.clock.now() : 0, 0, 0, 0]).flat()
    const envelopes = Array.from({ length: count }, (_, at) => `leaf-${String(at)}`).join(' ')
    const batch = await writeBatch(open, rogue, { peers: [`${zeta.owner} zeta/shop`], rows, envelopes })
    await rogue.emit('evidence', { ...tellingOf(batch), scope: 'mesh' })
    const [heard, deaf] = [await wide.trust.explain('zeta/shop'), await narrow.trust.explain('zeta/shop')]
    // A hundred failures of which a standard agent tells are ten points.
    expect([heard?.score, heard?.evidenceCount, deaf?.score]).toEqual([490, 0, 500])
  })

  it('takes no word about names of its own owner', async () => {
    await using open = await openSharing({ trust: { share: 'mesh' } })
    const [wide] = await openZeta(open, { share: 'mesh' })
    await buy(open, 2)
    expect(await countAt(open.office)).toBe(2)
    expect(await refusedAt(open, wide)).toMatchObject({ 'trust.self-evidence': 2 })
    expect(await countAt(wide)).toBe(0)
  })

  it('is not heard beyond the owner who shares with its own agents alone', async () => {
    await using open = await openSharing({ trust: { share: 'owner' } })
    const [wide] = await openZeta(open, { share: 'mesh' })
    await buy(open, 2)
    expect(await refusedAt(open, wide)).toEqual({})
    expect(await countAt(wide)).toBe(0)
  })

  it('refuses a scope, a rate or a model that makes no sense', async () => {
    for (const trust of [{ share: 'all' }, { grantedPerMinute: 0 }, { model: { weights: {} } }])
      await expect(openShop({}, { desk: { trust } as unknown as TestNodeOptions })).rejects.toMatchObject({
        code: 'mesh.config-invalid',
      })
  })
})
