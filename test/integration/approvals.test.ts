import type { KeptAnswer, MeshNode } from '@parley/mesh'
import { openSqliteStore } from '@parley/store-sqlite'
import { createTestMesh } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { endOf } from './agency.ts'
import { asksFor, buyer, documentWith, openCautious, requestOf } from './cautious-shop.ts'
import { shop } from './shop.ts'

const invalid = 'policy.approval-invalid'
const required = 'policy.approval-required'
const used = 'policy.approval-used'
const allow = { kind: 'allow' } as const

const wordsOf = async ({ approvals }: MeshNode): Promise<readonly Pick<KeptAnswer, 'word' | 'name'>[]> =>
  (await approvals.list()).flatMap(({ answers }) => answers.map(({ word, name }) => ({ word, name })))

describe('an approval', () => {
  it('is asked for with id and digest, takes two people, is good for one call, and for exactly that one', async () => {
    await using mesh = createTestMesh({ seed: 31 })
    const { openCounter, say, bought } = openCautious(mesh)
    const counter = await openCounter()
    const buy = buyer(await mesh.node('acme/desk', { calls: [shop.buy] }))

    const asked = await buy('lamp')
    expect(asked).toMatchObject({ kind: 'refused', code: required })
    const request = requestOf(asked)
    expect(await counter.approvals.list()).toMatchObject([{ ...request, arguments: { item: 'lamp' }, answers: [] }])

    const { answer } = counter.approvals
    expect(await answer(await say('staff/ann', 'granted', request))).toEqual(allow)
    expect(endOf(await buy('lamp'))).toBe(required)
    expect(await answer(await say('staff/eve', 'granted', request))).toMatchObject({ code: invalid })
    expect(await answer(await say('staff/bot', 'granted', request))).toMatchObject({
      code: 'identity.sign-in-too-weak',
    })
    // The same person twice is one pair of eyes.
    expect(await answer(await say('staff/ann', 'granted', request))).toEqual(allow)
    expect(endOf(await buy('lamp'))).toBe(required)
    const second = await say('staff/bob', 'granted', request)
    expect(await answer(second)).toEqual(allow)

    expect(endOf(await buy('diamond'))).toBe(required)
    expect(bought).toEqual([])
    expect(endOf(await buy('lamp'))).toBe('ok')
    expect(bought).toEqual([{ item: 'lamp' }])
    expect(await answer(second)).toMatchObject({ code: used })
    expect(endOf(await buy('lamp', { approvals: [second] }))).toBe(used)
    expect(endOf(await buy('lamp'))).toBe(required)
    // Also once the same is asked for again: the answer was to another request.
    expect(endOf(await buy('lamp', { approvals: [second] }))).toBe(used)
    expect(bought).toHaveLength(1)
    await mesh.clock.settle()
    const told = mesh.recordsOf(counter).filter(({ kind, event }) => kind === 'approval' && event === 'used')
    expect(told).toMatchObject([{ request: request.id, digest: request.digest }])
  })

  it('is void once the policy is another, its signer was revoked, or it is too late', async () => {
    await using mesh = createTestMesh({ seed: 32 })
    const { openCounter, say, staff } = openCautious(mesh)
    const counter = await openCounter()
    const buy = buyer(await mesh.node('acme/desk', { calls: [shop.buy] }))
    const grantBoth = async (forMs: number): Promise<void> => {
      const request = requestOf(await buy('lamp'))
      for (const name of ['staff/ann', 'staff/bob'])
        expect(await counter.approvals.answer(await say(name, 'granted', request, {}, forMs))).toEqual(allow)
    }
    await grantBoth(60_000)
    await counter.reloadPolicy([asksFor(2), documentWith('  []', 'another')])
    expect(endOf(await buy('lamp'))).toBe(required)
    await counter.reloadPolicy([asksFor(2)])
    await mesh.clock.advance(61_000)
    expect(endOf(await buy('lamp'))).toBe(required)
    await grantBoth(600_000)
    await counter.acceptOrder(await staff.order('revoke', 'staff/ann'))
    expect(endOf(await buy('lamp'))).toBe(required)
  })

  it('ends with its request, and an answer that comes later is for nothing', async () => {
    await using mesh = createTestMesh({ seed: 35 })
    const { openCounter, say } = openCautious(mesh)
    const counter = await openCounter({ policy: [asksFor(1, '2m')] })
    const buy = buyer(await mesh.node('acme/desk', { calls: [shop.buy] }))
    const request = requestOf(await buy('lamp'))
    await mesh.clock.advance(120_000)
    const late = await say('staff/ann', 'granted', request)
    expect(await counter.approvals.answer(late)).toMatchObject({ code: invalid })
    expect(endOf(await buy('lamp', { approvals: [late] }))).toBe(invalid)
    const again = requestOf(await buy('lamp'))
    expect(again).toEqual({ id: expect.not.stringMatching(request.id) as string, digest: request.digest })
    const short = await say('staff/ann', 'granted', again, {}, 1_000)
    expect(await counter.approvals.answer(short)).toEqual(allow)
    await mesh.clock.advance(62_000)
    expect(endOf(await buy('lamp'))).toBe(required)
    expect(endOf(await buy('lamp', { approvals: [short] }))).toBe('identity.jwt-expired')
  })

  it.each(['kill', 'quarantine'] as const)(
    'granted before a %s of its signer is void, also after its end',
    async (kind) => {
      await using mesh = createTestMesh({ seed: 36 })
      const { openCounter, say, staff, bought } = openCautious(mesh)
      const counter = await openCounter({ policy: [asksFor(1)] })
      const buy = buyer(await mesh.node('acme/desk', { calls: [shop.buy] }))
      const grant = await say('staff/ann', 'granted', requestOf(await buy('lamp')))
      expect(await counter.approvals.answer(grant)).toEqual(allow)
      await mesh.clock.advance(2_000)
      const untilMs = mesh.clock.now() + 10_000
      await counter.acceptOrder(await staff.order(kind, 'staff/ann', kind === 'quarantine' ? { untilMs } : {}))
      expect(endOf(await buy('lamp'))).toBe(required)
      await mesh.clock.advance(11_000)
      expect(endOf(await buy('lamp'))).toBe(required)
      expect(bought).toEqual([])
      expect(await counter.approvals.answer(grant)).toMatchObject(
        kind === 'kill' ? { code: 'identity.revoked' } : allow,
      )
      if (kind === 'kill') return
      // Whoever speaks again after the quarantine is heard.
      const again = await say('staff/ann', 'granted', requestOf(await buy('lamp')))
      expect(endOf(await buy('lamp', { approvals: [again] }))).toBe('ok')
    },
  )

  it.each(['acme/desk', 'acme/shop'])(
    'granted before a quarantine of %s does not come back after it',
    async (subject) => {
      await using mesh = createTestMesh({ seed: 37 })
      const { openCounter, say, bought } = openCautious(mesh)
      const counter = await openCounter({ policy: [asksFor(1)] })
      const desk = await mesh.node('acme/desk', { calls: [shop.buy] })
      const buy = buyer(desk)
      expect(await counter.approvals.answer(await say('staff/ann', 'granted', requestOf(await buy('lamp'))))).toEqual(
        allow,
      )
      await mesh.clock.advance(2_000)
      const order = await mesh.issuer.order('quarantine', subject, {
        untilMs: mesh.clock.now() + 10_000,
      })
      for (const node of [counter, desk]) await node.acceptOrder(order)
      expect(endOf(await buy('lamp'))).toBe('identity.quarantined')
      await mesh.clock.advance(11_000)
      expect(endOf(await buy('lamp'))).toBe(required)
      expect(bought).toEqual([])
    },
  )

  it('is not for who asked, whoever that is or acts for', async () => {
    await using mesh = createTestMesh({ seed: 38 })
    const { openCounter, openPerson, say } = openCautious(mesh)
    const counter = await openCounter({ policy: [asksFor(1)] })
    const own = buyer(await openPerson('staff/ann'))
    const forAnn = buyer(await mesh.node('acme/desk', { calls: [shop.buy] }))
    for (const ask of [own, (item: string) => forAnn(item, { onBehalfOf: 'staff/ann' })]) {
      const request = requestOf(await ask('lamp'))
      const granted = await say('staff/ann', 'granted', request)
      expect(await counter.approvals.answer(granted)).toMatchObject({ code: invalid })
      expect(await counter.approvals.answer(await say('staff/bob', 'granted', request))).toEqual(allow)
      expect(endOf(await ask('lamp'))).toBe('ok')
    }
  })

  it('ends by a denial, and no other word lifts it', async () => {
    await using mesh = createTestMesh({ seed: 33 })
    const { openCounter, say } = openCautious(mesh)
    const counter = await openCounter({ policy: [asksFor(1)] })
    const buy = buyer(await mesh.node('acme/desk', { calls: [shop.buy] }))
    const request = requestOf(await buy('lamp'))
    for (const [name, word] of [
      ['staff/ann', 'denied'],
      ['staff/bob', 'granted'],
    ] as const)
      await counter.approvals.answer(await say(name, word, request))
    expect(endOf(await buy('lamp'))).toBe('policy.approval-denied')
    expect(await wordsOf(counter)).toEqual([
      { word: 'denied', name: 'staff/ann' },
      { word: 'granted', name: 'staff/bob' },
    ])
  })

  it('survives a restart of the node that asked, used or not', async () => {
    await using mesh = createTestMesh({ seed: 34 })
    const store = await openSqliteStore({ path: ':memory:', clock: mesh.clock })
    const kept = { ...store, close: () => Promise.resolve() }
    const { openCounter, say, bought } = openCautious(mesh)
    const first = await openCounter({ store: kept })
    const buy = buyer(await mesh.node('acme/desk', { calls: [shop.buy] }))
    const request = requestOf(await buy('lamp'))
    const [ann, bob] = [await say('staff/ann', 'granted', request), await say('staff/bob', 'granted', request)]
    expect(await first.approvals.answer(ann)).toEqual(allow)
    await first.close()
    const second = await openCounter({ store: kept })
    expect(endOf(await buy('lamp', { approvals: [bob] }))).toBe('ok')
    await second.close()
    await openCounter({ store: kept })
    expect(endOf(await buy('lamp', { approvals: [ann, bob] }))).toBe(used)
    expect(endOf(await buy('lamp'))).toBe(required)
    expect(bought).toHaveLength(1)
  })

  it('is asked for, once, by calls that come at the same moment, and lets one of them pass', async () => {
    await using mesh = createTestMesh({ seed: 39 })
    const { openCounter, say, bought } = openCautious(mesh)
    await openCounter({ policy: [asksFor(1)] })
    const buy = buyer(await mesh.node('acme/desk', { calls: [shop.buy] }))
    const asked = await Promise.all(Array.from({ length: 4 }, () => buy('lamp')))
    expect(new Set(asked.map((outcome) => requestOf(outcome).id)).size).toBe(1)
    const grant = await say('staff/ann', 'granted', requestOf(await buy('lamp')))
    const ends = await Promise.all(Array.from({ length: 4 }, () => buy('lamp', { approvals: [grant] })))
    expect(ends.map(endOf).toSorted()).toEqual(['ok', used, used, used])
    expect(bought).toHaveLength(1)
  })

  it('is used and nothing is done where the process ends in between', async () => {
    await using mesh = createTestMesh({ seed: 41 })
    const store = await openSqliteStore({ path: ':memory:', clock: mesh.clock })
    const { keyValue } = store
    let ends = 1
    const put: typeof keyValue.put = async (key, value, ...rest) => {
      const revision = await keyValue.put(key, value, ...rest)
      if (new TextDecoder().decode(value).includes('"usedAtMs"') && ends-- > 0) throw new Error('the process ended')
      return revision
    }
    const { openCounter, say, bought } = openCautious(mesh)
    await openCounter({ policy: [asksFor(1)], store: { ...store, keyValue: { ...keyValue, put } } })
    const buy = buyer(await mesh.node('acme/desk', { calls: [shop.buy] }))
    const grant = await say('staff/ann', 'granted', requestOf(await buy('lamp')))
    expect(endOf(await buy('lamp', { approvals: [grant] }))).toBe('hop.stage-failed')
    expect(endOf(await buy('lamp', { approvals: [grant] }))).toBe(used)
    expect(endOf(await buy('lamp'))).toBe(required)
    expect(bought).toEqual([])
  })

  it('is used by no call that is not admitted', async () => {
    await using mesh = createTestMesh({ seed: 40 })
    const { openCounter, say } = openCautious(mesh)
    const paced = documentWith(
      "  - { name: paced, when: action == 'shop:buy', effect: allow, limit: 1/minute }",
      'paced',
    )
    const counter = await openCounter({ policy: [asksFor(1), paced] })
    const buy = buyer(await mesh.node('acme/desk', { calls: [shop.buy] }))
    for (const item of ['lamp', 'vase'])
      await counter.approvals.answer(await say('staff/ann', 'granted', requestOf(await buy(item))))
    expect([endOf(await buy('lamp')), endOf(await buy('vase'))]).toEqual(['ok', 'policy.rate-limited'])
    await mesh.clock.advance(60_000)
    expect(endOf(await buy('vase'))).toBe('ok')
  })
})

describe('an answer that the caller brings', () => {
  it('counts at the callee that asked, for the caller and the arguments that it is about, and nowhere else', async () => {
    await using mesh = createTestMesh({ seed: 61 })
    const { openCounter, say, bought } = openCautious(mesh)
    await openCounter()
    await openCounter({ name: 'acme/kiosk' })
    const desk = await mesh.node('acme/desk', { calls: [shop.buy] })
    const other = await mesh.node('acme/other', { calls: [shop.buy] })
    const request = requestOf(await buyer(desk)('lamp'))
    const approvals = [await say('staff/ann', 'granted', request), await say('staff/bob', 'granted', request)]
    expect(endOf(await buyer(desk)('piano', { approvals }))).toBe(required)
    expect(endOf(await buyer(desk, 'acme/kiosk')('lamp', { approvals }))).toBe(required)
    expect(endOf(await buyer(other)('lamp', { approvals }))).toBe(required)
    expect(endOf(await buyer(desk)('lamp', { approvals, onBehalfOf: 'somebody' }))).toBe(required)
    const [ann = ''] = approvals
    expect(endOf(await buyer(desk)('lamp', { approvals: [ann, `${ann.slice(0, -8)}AAAAAAAA`] }))).toBe(
      'identity.signature-invalid',
    )
    expect(bought).toEqual([])
    expect(endOf(await buyer(desk)('lamp', { approvals }))).toBe('ok')
    expect(bought).toEqual([{ item: 'lamp' }])
  })

  it('is sorted by its request where both sides ask, and a refusal uses nothing up', async () => {
    await using mesh = createTestMesh({ seed: 62 })
    const { openCounter, say, staff, bought } = openCautious(mesh)
    const counter = await openCounter({ policy: [asksFor(1)] })
    const asks = 'effect: require_approval, approvers: [staff/eve]'
    const desk = await mesh.node('acme/desk', {
      calls: [shop.buy],
      anchors: [mesh.issuer.anchor, staff.anchor],
      policy: [documentWith(`  - { name: ask, when: "direction == 'outbound'", ${asks} }`)],
    })
    const buy = buyer(desk)
    const first = await buy('lamp')
    expect(first).toMatchObject({ code: required, hop: { sent: false } })
    const eve = await say('staff/eve', 'granted', requestOf(first))
    const second = await buy('lamp', { approvals: [eve] })
    expect(second).toMatchObject({ code: required, hop: { sent: true } })
    const ann = await say('staff/ann', 'granted', requestOf(second))
    expect(endOf(await buy('lamp', { approvals: [eve, ann] }))).toBe('ok')
    expect(endOf(await buy('lamp', { approvals: [eve, ann] }))).toBe(used)
    expect(bought).toHaveLength(1)
    expect([await desk.approvals.list(), await counter.approvals.list()]).toMatchObject([
      [{ usedAtMs: expect.any(Number) as number }],
      [{ usedAtMs: expect.any(Number) as number }],
    ])
  })

  it('that is too long for a header is refused before anything is sent', async () => {
    await using mesh = createTestMesh({ seed: 63 })
    await openCautious(mesh).openCounter()
    const buy = buyer(await mesh.node('acme/desk', { calls: [shop.buy] }))
    const outcome = await buy('lamp', { approvals: Array.from({ length: 9 }, () => 'x') })
    expect(outcome).toMatchObject({ code: 'iatp.header-invalid', hop: { sent: false } })
  })
})
