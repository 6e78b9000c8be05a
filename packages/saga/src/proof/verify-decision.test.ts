import { createAnchors, createLocalIssuer, signDeclaration } from '@parley/identity'
import { createSeededRandom } from '@parley/ports'
import { beforeAll, describe, expect, it } from 'vitest'
import { sagaPurpose } from '../runner/verify-human.ts'
import { openSignedTown, type SignedTown } from '../testing/signed-saga.fixture.ts'
import type { SagaVerdict } from './saga-account.ts'
import { verifySagaExport, type SagaExpectation } from './verify-saga-export.ts'

let town: SignedTown

beforeAll(async () => {
  town = await openSignedTown()
})

const tampered = (code: string): unknown => expect.objectContaining({ kind: 'tampered', code })

describe('verifySagaExport on what people decided', () => {
  const order = { agent: 'acme/travel', saga: 'trip-1', decision: 'cancel', reason: 'changed my mind' } as const

  async function decide(
    content: Readonly<Record<string, unknown>>,
    written: Readonly<Record<string, unknown>> = {},
    human: 1 | 2 | null = 2,
    times = 1,
    expected: (staff: string) => Partial<SagaExpectation> = (staff) => ({ deciders: [staff] }),
  ): Promise<SagaVerdict> {
    const { clock, acme } = town
    const random = createSeededRandom(21)
    const staff = createLocalIssuer({
      alias: 'staff',
      clock,
      random,
      allow: { 'staff/ann': { serves: [], calls: [], ...(human && { human }) } },
    })
    const ann = await town.party('staff/ann', { issuer: staff })
    const declaration = await signDeclaration(
      { signer: ann.signer, ...ann.issued },
      { id: 'd1', purpose: sagaPurpose, content, issuedAtMs: clock.now(), expiresAtMs: clock.now() + 60_000 },
    )
    const saga = await town.begin()
    const { decision, reason } = order
    for (let time = 0; time < times; time++)
      await saga.note({ type: 'decided', decision, reason, by: 'staff/ann', declaration, ...written })
    const anchors = createAnchors([acme.anchor, staff.anchor])
    return verifySagaExport(await saga.export(), { anchors, ...expected(staff.owner) })
  }

  it('tells who decided', async () => {
    expect(await decide(order)).toMatchObject({
      kind: 'proved',
      account: { decisions: [{ decision: 'cancel', by: { name: 'staff/ann' }, reason: order.reason }] },
    })
  })

  it('proves no decision of a person of another owner, whom the anchors vouch for, unless that owner is named', async () => {
    expect(await decide(order, {}, 2, 1, () => ({}))).toEqual(tampered('saga.decision-refused'))
    expect(await decide(order, {}, 2, 1, () => ({ deciders: [] }))).toEqual(tampered('saga.decision-refused'))
  })

  it.each<[string, string, () => Promise<SagaVerdict>]>([
    ['another reason than was signed', 'saga.decision-refused', () => decide(order, { reason: 'ann was forced' })],
    ['another decision than was signed', 'saga.decision-refused', () => decide(order, { decision: 'abort' })],
    ['another person than signed', 'saga.decision-refused', () => decide(order, { by: 'staff/bob' })],
    ['one about another saga', 'saga.decision-refused', () => decide({ ...order, saga: 'trip-2' })],
    ['one about another agent', 'saga.decision-refused', () => decide({ ...order, agent: 'acme/inn' })],
    ['one of a program', 'identity.sign-in-too-weak', () => decide(order, {}, null)],
    ['one of a person who signed in too weakly', 'identity.sign-in-too-weak', () => decide(order, {}, 1)],
    ['one that is used twice', 'saga.decision-refused', () => decide(order, {}, 2, 2)],
    ['one that nobody signed', 'identity.jwt-invalid', () => decide(order, { declaration: 'eyJ' })],
  ])('refuses %s', async (_, code, lie) => {
    expect(await lie()).toEqual(tampered(code))
  })
})
