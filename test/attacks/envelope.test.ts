import { limits, type InstanceDid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { shop, soundServes } from '../integration/shop.ts'
import { openAttackLab } from './attack-lab.ts'
import { refusedWith } from './impact.ts'

// Attacks by somebody with a sound key, credential and session, whose header is not what it should be: one check, of the
// frame, and no answer.

describe('an envelope', () => {
  it('forged: in the name of another sender than the one that signed it', async () => {
    await using lab = await openAttackLab()
    const bytes = await lab.frame(lab.buying(1, { from: lab.desk.instance }))
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), bytes))).toEqual(refusedWith('iatp.misaddressed', 1))
  })

  it('re-addressed: to a sibling instance, another mesh or a topic (T34)', async () => {
    await using lab = await openAttackLab()
    const serve = (node: typeof lab.counter): void => {
      node.serve(shop, soundServes)
    }
    const sibling = await lab.mesh.node('acme/shop', { serves: [shop], serve })
    const elsewhere = await lab.mesh.node('acme/shop', { mesh: 'other', serves: [shop], serve })
    const bytes = await lab.frame(lab.buying(1))
    const misaddressed = refusedWith('iatp.misaddressed', 1)
    const toSibling = lab.inbox(lab.rogue.did, sibling.instance)
    expect(await lab.attack(() => lab.rogue.publish(toSibling, bytes), sibling)).toEqual(misaddressed)
    const toOther = lab.inbox(lab.rogue.did, elsewhere.instance).replace('.main.', '.other.')
    expect(await lab.attack(() => lab.rogue.publish(toOther, bytes), elsewhere)).toEqual(misaddressed)
    const asEvent = `iatp.1.main.event.card.${lab.rogue.did.slice('did:key:'.length)}`
    // The desk and the sibling hear it, too, and check it once each.
    const heard = await lab.attack(() => lab.rogue.publish(asEvent, bytes))
    expect(heard).toEqual({ ...misaddressed, checks: 3 })
    // The same session, mesh and recipient in a header that the right node would take.
    const forOther = await lab.frame(lab.buying(2, { mesh: 'other' }))
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), forOther))).toEqual(misaddressed)
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), bytes))).toMatchObject({ delivered: ['buy'] })
  })

  it('over-long life: of a millisecond above five minutes, or before it began', async () => {
    await using lab = await openAttackLab()
    const nowMs = (): number => lab.mesh.clock.now()
    const lives = [
      (): object => ({ issuedAtMs: nowMs(), expiresAtMs: nowMs() + limits.lifetimeMs + 1 }),
      (): object => ({ issuedAtMs: nowMs(), expiresAtMs: Number.MAX_SAFE_INTEGER }),
      (): object => ({ issuedAtMs: 0, expiresAtMs: nowMs() + 1_000 }),
      (): object => ({ issuedAtMs: nowMs(), expiresAtMs: nowMs() - 1 }),
      (): object => ({ issuedAtMs: nowMs() + limits.skewMs + 5_000, expiresAtMs: nowMs() + limits.skewMs + 6_000 }),
    ]
    for (const life of lives) {
      const act = async (): Promise<void> =>
        lab.rogue.publish(lab.inbox(), await lab.frame(lab.buying(1, { ...life() })))
      expect(await lab.attack(act)).toEqual(refusedWith('iatp.lifetime', 1))
    }
  })

  it('expired: that was held back until its life and the skew of clocks were over (T15)', async () => {
    await using lab = await openAttackLab()
    const bytes = await lab.frame(lab.buying(1))
    await lab.mesh.clock.advance(30_000 + limits.skewMs)
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), bytes))).toEqual(refusedWith('iatp.lifetime', 1))
  })

  it('duplicate JSON key: at the start, at the end, nested, or of what every object has (T32)', async () => {
    await using lab = await openAttackLab()
    const request = lab.buying(1, { saga: { id: 's' } })
    const nowMs = lab.mesh.clock.now()
    const common = { id: 'A'.repeat(22), from: lab.rogue.did, mesh: 'main' }
    const text = JSON.stringify({ ...request.header, ...common, issuedAtMs: nowMs, expiresAtMs: nowMs + 30_000 })
    for (const twice of [
      text.replace('{', `{"capability":"${shop.burn.capability}",`),
      text.replace(/}$/, `,"capability":"${shop.burn.capability}"}`),
      text.replace('{"id":"s"}', '{"id":"s","id":"t"}'),
      text.replace('{', '{"__proto__":{"capability":"shop:burn"},'),
    ]) {
      expect(twice).not.toBe(text)
      const bytes = await lab.frame({ ...request, text: twice })
      expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), bytes))).toEqual(
        refusedWith('iatp.header-invalid', 1),
      )
    }
  })

  it('unknown crit: a name that nobody here understands, or that is not there', async () => {
    await using lab = await openAttackLab()
    for (const header of [
      { crit: ['quantum'], quantum: true },
      { crit: ['labels'] },
      { crit: ['constructor'] },
      { crit: ['labels', 'quantum'], labels: ['pii'], quantum: 1 },
    ]) {
      const bytes = await lab.frame(lab.buying(1, header))
      expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), bytes))).toEqual(refusedWith('iatp.crit-unknown', 1))
    }
    const bytes = await lab.frame(lab.buying(1, { crit: ['labels'], labels: ['pii'], quantum: 1 }))
    expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), bytes))).toMatchObject({ delivered: ['buy'] })
  })

  it('oversize everything: header, credential, chain, labels and lists, each a little above its limit', async () => {
    await using lab = await openAttackLab()
    const [oversize, invalid] = ['iatp.frame-oversize', 'iatp.header-invalid']
    const text = (length: number): string => 'x'.repeat(length)
    const texts = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `t${String(at)}`)
    const cases: readonly (readonly [object, string])[] = [
      [{ filler: text(limits.headerBytes) }, oversize],
      [{ links: [text(limits.chainBytes), 'x'] }, oversize],
      [{ handedLinks: [text(limits.chainBytes), 'x'] }, oversize],
      [{ approvals: [text(limits.approvalBytes), 'x'] }, oversize],
      [{ links: texts(limits.chainLinks + 1) }, invalid],
      [{ approvals: texts(limits.approvals + 1) }, invalid],
      [{ credential: text(limits.credentialBytes + 1) }, invalid],
      [{ statement: text(limits.credentialBytes + 1) }, invalid],
      [{ labels: texts(limits.labels + 1) }, invalid],
      [{ labels: [text(65)] }, invalid],
      [{ crit: texts(17) }, invalid],
      [{ versions: texts(17).map((_, at) => at) }, invalid],
      [{ onBehalfOf: text(257) }, invalid],
      [{ to: text(129) as InstanceDid }, invalid],
      [{ pathIndex: limits.pathHops }, invalid],
      [{ bodyRef: { hash: text(43), bytes: limits.referencedBytes + 1, where: 'x' } }, invalid],
      [{ counter: 2 ** 53 }, invalid],
    ]
    for (const [header, code] of cases) {
      const bytes = await lab.frame(lab.buying(1, { ...header }))
      const what = Object.keys(header).join()
      expect(await lab.attack(() => lab.rogue.publish(lab.inbox(), bytes)), what).toEqual(refusedWith(code, 1))
    }
  })
})
