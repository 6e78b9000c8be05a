import { openSqliteStore } from '@parley/store-sqlite'
import { createTestMesh } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { endOf } from './agency.ts'
import { asksFor, buyer, openCautious, requestOf } from './cautious-shop.ts'
import { shop } from './shop.ts'

const invalid = 'policy.approval-invalid'
const required = 'policy.approval-required'
const used = 'policy.approval-used'
const allow = { kind: 'allow' } as const

describe('an amendment', () => {
  it('grants exactly the arguments that it proposes, once, and ends what was asked for', async () => {
    await using mesh = createTestMesh({ seed: 71 })
    const { openCounter, say, bought } = openCautious(mesh)
    const counter = await openCounter({ policy: [asksFor(1)] })
    const buy = buyer(await mesh.node('acme/desk', { calls: [shop.buy] }))
    const request = requestOf(await buy('piano'))
    const amended = await say('staff/ann', 'amended', request, { arguments: { item: 'flute' } })
    expect(await counter.approvals.answer(amended)).toEqual(allow)
    expect(endOf(await buy('piano'))).toBe('policy.approval-denied')
    expect(endOf(await buy('drum'))).toBe(required)
    expect(endOf(await buy('flute'))).toBe('ok')
    expect(endOf(await buy('flute'))).toBe(required)
    expect(endOf(await buy('flute', { approvals: [amended] }))).toBe(used)
    expect(bought).toEqual([{ item: 'flute' }])
  })

  it('that the caller brings is enough, also if it comes again after a crash in between', async () => {
    await using mesh = createTestMesh({ seed: 72 })
    const store = await openSqliteStore({ path: ':memory:', clock: mesh.clock })
    const { keyValue } = store
    let failing = false
    const puts: string[] = []
    const put: typeof keyValue.put = (key, ...rest) => {
      if (failing && key.startsWith('approval/') && puts.push(key) > 1) return Promise.reject(new Error('crashed'))
      return keyValue.put(key, ...rest)
    }
    const { openCounter, say, bought } = openCautious(mesh)
    await openCounter({ policy: [asksFor(1)], store: { ...store, keyValue: { ...keyValue, put } } })
    const buy = buyer(await mesh.node('acme/desk', { calls: [shop.buy] }))
    const approvals = [
      await say('staff/ann', 'amended', requestOf(await buy('piano')), { arguments: { item: 'flute' } }),
    ]
    failing = true
    expect(endOf(await buy('flute', { approvals }))).toBe('hop.stage-failed')
    failing = false
    expect(endOf(await buy('piano', { approvals }))).toBe('policy.approval-denied')
    expect(endOf(await buy('flute', { approvals }))).toBe('ok')
    expect(endOf(await buy('flute', { approvals }))).toBe(used)
    expect(bought).toEqual([{ item: 'flute' }])
  })

  it('is not shown on the wire beside an encrypted body', async () => {
    await using mesh = createTestMesh({ seed: 74 })
    const { openCounter, say } = openCautious(mesh)
    const counter = await openCounter({ policy: [asksFor(1)] })
    const desk = await mesh.node('acme/desk', { calls: [shop.buy], sealBodies: true })
    const buy = buyer(desk)
    const amended = await say('staff/ann', 'amended', requestOf(await buy('piano')), { arguments: { item: 'flute' } })
    expect(await buy('flute', { approvals: [amended] })).toMatchObject({
      code: 'iatp.confidentiality-required',
      hop: { sent: false },
    })
    expect(await counter.approvals.answer(amended)).toEqual(allow)
    expect(endOf(await buy('flute'))).toBe('ok')
  })

  it('is one of two pairs of eyes, and no word of who asked', async () => {
    await using mesh = createTestMesh({ seed: 73 })
    const { openCounter, openPerson, say } = openCautious(mesh)
    const counter = await openCounter()
    const buy = buyer(await mesh.node('acme/desk', { calls: [shop.buy] }))
    const request = requestOf(await buy('piano'))
    const amended = await say('staff/ann', 'amended', request, { arguments: { item: 'flute' } })
    expect(await counter.approvals.answer(amended)).toEqual(allow)
    const next = requestOf(await buy('flute'))
    expect(endOf(await buy('flute', { approvals: [await say('staff/bob', 'granted', next)] }))).toBe('ok')
    const own = buyer(await openPerson('staff/ann'))
    const asked = await say('staff/ann', 'amended', requestOf(await own('piano')), { arguments: { item: 'flute' } })
    expect(endOf(await own('flute', { approvals: [asked] }))).toBe(invalid)
    const same = await say('staff/bob', 'amended', requestOf(await own('drum')), { arguments: { item: 'drum' } })
    expect(await counter.approvals.answer(same)).toMatchObject({ code: invalid })
  })
})
