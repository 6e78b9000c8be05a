import { generateInstanceKeys } from '@parley/identity'
import type { MeshNode } from '@parley/mesh'
import type { Delivery } from '@parley/ports'
import { limits } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { shop, soundServes } from '../integration/shop.ts'
import { openAttackLab, type AttackLab } from './attack-lab.ts'
import { refusedWith } from './impact.ts'

// Attacks on what is remembered: an envelope that was sound once, where it was sent or anywhere else.

const replayed = refusedWith('iatp.replayed', 1)

/** Starts one more `acme/shop`, which says what it served. */
async function openShopAgain(
  lab: AttackLab,
  keys?: ReturnType<typeof generateInstanceKeys>,
): Promise<{ readonly node: MeshNode; readonly served: readonly string[] }> {
  const served: string[] = []
  const buy = ({ item }: { readonly item: string }): { readonly receipt: string } => {
    served.push(item)
    return { receipt: item }
  }
  const node = await lab.mesh.node('acme/shop', {
    ...(keys && { keys }),
    serves: [shop],
    serve: (one) => {
      one.serve(shop, { ...soundServes, buy })
    },
  })
  return { node, served }
}

describe('a copied request', () => {
  it('replayed in five ways: at the same instance', async () => {
    await using lab = await openAttackLab()
    const bytes = await lab.frame(lab.buying(1))
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), bytes))).toMatchObject({ delivered: ['buy'] })
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), bytes))).toEqual(replayed)
    // Many copies in one turn, and as many envelopes of one frame, each under its own proof.
    const twice = await lab.frame(lab.buying(2), lab.buying(2))
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), twice))).toEqual({
      ...replayed,
      delivered: ['buy'],
      effects: ['sold lamp'],
      trust: ['acme/rogue'],
      answers: 1,
    })
    const copies = await lab.attack(async () => {
      await Promise.all(Array.from({ length: 20 }, () => lab.rogue.publish(lab.inbox(), twice)))
    })
    expect(copies).toEqual({ ...replayed, codes: Array.from({ length: 40 }, () => 'iatp.replayed'), checks: 20 })
  })

  it('replayed in five ways: at a sibling', async () => {
    await using lab = await openAttackLab()
    const sibling = await openShopAgain(lab)
    const bytes = await lab.frame(lab.buying(1))
    await lab.rogue.publish(lab.inbox(), bytes)
    const toSibling = lab.inbox(lab.rogue.did, sibling.node.instance)
    expect(await lab.attack(() => lab.rogue.publish(toSibling, bytes), sibling.node)).toEqual(
      refusedWith('iatp.misaddressed', 1),
    )
    const signedAnew = await lab.frame(lab.buying(1, { to: sibling.node.instance }))
    expect(await lab.attack(() => lab.rogue.publish(toSibling, signedAnew), sibling.node)).toEqual(
      refusedWith('iatp.session-unknown', 1, { answers: 1 }),
    )
    expect([lab.effects, sibling.served]).toEqual([['sold lamp'], []])
  })

  it('replayed in five ways: after a restart with the same key', async () => {
    const keys = generateInstanceKeys({ bytes: (length) => new Uint8Array(length).fill(7), float: () => 0 })
    await using lab = await openAttackLab({ counter: { keys } })
    const bytes = await lab.frame(lab.buying(1))
    await lab.rogue.publish(lab.inbox(), bytes)
    await lab.counter.close()
    const again = await openShopAgain(lab, keys)
    expect(again.node.instance).toBe(lab.counter.instance)
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), bytes), again.node)).toEqual(
      refusedWith('iatp.session-unknown', 1, { answers: 1 }),
    )
    expect([lab.effects, again.served]).toEqual([['sold lamp'], []])
  })

  it('replayed in five ways: at a second process with the same key', async () => {
    const keys = generateInstanceKeys({ bytes: (length) => new Uint8Array(length).fill(7), float: () => 0 })
    await using lab = await openAttackLab({ counter: { keys } })
    const bytes = await lab.frame(lab.buying(1))
    await lab.rogue.publish(lab.inbox(), bytes)
    // Both hear the copy, before they have heard of each other.
    const twin = await openShopAgain(lab, keys)
    const impact = await lab.attack(() => lab.rogue.publish(lab.inbox(), bytes), twin.node)
    expect([impact.delivered, impact.trust, lab.effects, twin.served]).toEqual([[], [], ['sold lamp'], []])
  })

  it('replayed in five ways: at the edges of the window and of its life', async () => {
    await using lab = await openAttackLab()
    const edge = limits.replayWindow
    const frames = new Map<number, Uint8Array>()
    for (const counter of [1, 2, edge, edge + 1]) frames.set(counter, await lab.frame(lab.buying(counter)))
    const send = (counter: number) => () => lab.rogue.publish(lab.inbox(), frames.get(counter) ?? new Uint8Array())
    expect(await lab.attack(send(edge + 1))).toMatchObject({ delivered: ['buy'] })
    expect(await lab.attack(send(1))).toEqual(replayed)
    expect(await lab.attack(send(2))).toMatchObject({ delivered: ['buy'] })
    for (const counter of [2, edge + 1]) expect(await lab.attack(send(counter))).toEqual(replayed)
    await lab.mesh.clock.advance(30_000 + limits.skewMs - 20_000)
    expect(await lab.attack(send(edge + 1))).toEqual(replayed)
    await lab.mesh.clock.advance(20_000)
    expect(await lab.attack(send(edge + 1))).toEqual(refusedWith('iatp.lifetime', 1))
  })

  it('revoked mid-session: the next envelope of the session, and the one after, run nothing', async () => {
    await using lab = await openAttackLab()
    const [first, second, third] = [await lab.frame(lab.buying(1)), await lab.frame(lab.buying(2)), lab.buying(3)]
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), first))).toMatchObject({ delivered: ['buy'] })
    await lab.counter.acceptOrder(await lab.mesh.issuer.order('revoke', lab.rogue.did))
    const unknown = refusedWith('iatp.session-unknown', 1, { answers: 1 })
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), second))).toEqual(unknown)
    // A new session is not to be had, at the price of the hello's own proof.
    const hello = lab.rogue.hello({ to: lab.counter.instance })
    const bytes = await lab.frame(hello)
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), bytes))).toEqual(
      refusedWith('identity.revoked', 1, { answers: 1 }),
    )
    const late = await lab.frame(third)
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), late))).toEqual(unknown)
  })

  it('two processes with one key: serve nothing, as soon as they hear each other', async () => {
    const keys = generateInstanceKeys({ bytes: (length) => new Uint8Array(length).fill(7), float: () => 0 })
    await using lab = await openAttackLab({ counter: { keys } })
    const twin = await openShopAgain(lab, keys)
    await lab.mesh.clock.advance(2_500)
    for (const node of [lab.counter, twin.node]) {
      expect(node.health()).toMatchObject({ live: false, ready: false, reasons: ['the node is conflicted'] })
      expect(lab.mesh.recordsOf(node).filter(({ event }) => event === 'instance-conflict')).toHaveLength(1)
    }
    // The one that has the session says that it serves no more, the other that it has none: a check at each.
    const request = await lab.frame(lab.buying(1))
    const refused = refusedWith('mesh.draining', 2, { answers: 2 })
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), request))).toEqual(refused)
    const copied = { ...refused, codes: ['iatp.session-unknown'], answers: 1 }
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), request), twin.node)).toEqual(copied)
    expect([lab.effects, twin.served]).toEqual([[], []])
  })

  it('two processes with one key: a copied card of the life before a restart stops nothing', async () => {
    const keys = generateInstanceKeys({ bytes: (length) => new Uint8Array(length).fill(7), float: () => 0 })
    await using lab = await openAttackLab({ counter: { keys } })
    const cards: Delivery[] = []
    const self = lab.counter.instance.slice('did:key:'.length)
    const untap = lab.mesh.bus.tap((unit) => {
      if (unit.subject.endsWith(`.event.card.${self}`)) cards.push(unit)
    })
    await lab.mesh.clock.advance(2_500)
    untap()
    await lab.counter.close()
    await lab.mesh.clock.advance(1)
    const again = await openShopAgain(lab, keys)
    await lab.desk.close()
    const copy = cards.at(-1)
    if (!copy) throw new Error('the shop did not announce itself')
    expect(await lab.attack(() => lab.rogue.publish(copy.subject, copy.data), again.node)).toMatchObject({
      codes: [],
      effects: [],
      checks: 1,
    })
    expect(again.node.health()).toMatchObject({ live: true, ready: true })
  })
})
