import { createLocalIssuer, signDeclaration } from '@parley/identity'
import { createSeededRandom } from '@parley/ports'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { SagaEvent } from '../kernel/saga-event.ts'
import { sagaPurpose } from '../runner/verify-human.ts'
import { openSignedTown, type Act, type SignedSaga, type SignedTown } from '../testing/signed-saga.fixture.ts'
import type { SagaVerdict } from './saga-account.ts'
import { verifySagaExport } from './verify-saga-export.ts'

const ok = (step: string): SagaEvent => ({ type: 'committed', step, by: 'reply', output: { ref: step } })
const declined: SagaEvent = { type: 'declined', step: 'car', by: 'reply', error: { name: 'full' } }
const turned: SagaEvent = { type: 'turned', step: 'car', code: 'full' }
const undone: SagaEvent = { type: 'undone', step: 'room', by: 'reply' }

let town: SignedTown

/** Room done, car declined, room undone. */
async function unwind(saga: SignedSaga): Promise<SignedSaga> {
  await saga.act({}, ok('room'))
  await saga.act({ step: 'car', ended: 'declined' }, declined, turned)
  await saga.act({ phase: 'undo' }, undone, { type: 'compensated' })
  return saga
}

const verify = (text: string): SagaVerdict => verifySagaExport(text, { anchors: town.anchors })
const tampered = (code: string): unknown => expect.objectContaining({ kind: 'tampered', code })

beforeAll(async () => {
  town = await openSignedTown()
})

describe('verifySagaExport', () => {
  it('tells who did what under whose authority', async () => {
    const verdict = verify(await (await unwind(await town.begin())).export())
    const asked = { name: 'acme/travel', owner: town.acme.owner, instance: town.desk.signer.did }
    const by = { name: 'acme/hotel', instance: town.hotel.signer.did }
    expect(verdict).toMatchObject({
      kind: 'proved',
      account: {
        status: 'compensated',
        agent: 'acme/travel',
        claimed: [],
        facts: [
          {
            ...{ step: 'room', fact: 'committed', proof: 'signed', by, input: 'signed', output: 'signed' },
            commanded: { ...asked, authority: { kind: 'own' } },
          },
          { step: 'car', fact: 'declined', code: 'full', proof: 'signed', by },
          {
            ...{ step: 'room', fact: 'undone', phase: 'undo', proof: 'signed', by },
            commanded: { ...asked, authority: { kind: 'inbox' } },
          },
        ],
      },
    })
  })

  it('proves the same without the bodies, which are then nowhere in the file', async () => {
    const saga = await unwind(await town.begin())
    const text = await saga.export({ withBodies: false })
    expect(text).not.toContain('"what"')
    expect(text).not.toContain('"salt"')
    const verdict = verify(text)
    expect(verdict).toMatchObject({
      kind: 'proved',
      account: { status: 'compensated', facts: [{ input: 'apart', output: 'apart' }, {}, {}] },
    })
    const whole = verify(await saga.export())
    expect(whole.kind === 'proved' && verdict.kind === 'proved' && whole.account.head).toBe(
      verdict.kind === 'proved' && verdict.account.head,
    )
  })

  it('shows the chain that a command was given under', async () => {
    const delegation = await town.acme.delegate({
      to: 'acme/travel',
      capabilities: ['trips:reserve'],
      forMs: 600_000,
    })
    const verdict = verify(await (await unwind(await town.begin({ delegation }))).export())
    expect(verdict).toMatchObject({
      kind: 'proved',
      account: { facts: [{ commanded: { authority: { kind: 'delegated', root: town.acme.owner } } }, {}, {}] },
    })
  })

  it('tells what only the orchestrator says, and does not call it proved', async () => {
    const saga = await town.begin()
    await saga.act({}, ok('room'))
    await saga.note(
      { type: 'intended', step: 'car', attempt: 1, epoch: 1, key: 'k', provider: 'acme/hotel', input: {} },
      ok('car'),
      { type: 'completed', output: {} },
    )
    expect(verify(await saga.export())).toMatchObject({
      kind: 'claimed',
      account: { status: 'completed', claimed: ['car'], facts: [{ proof: 'signed' }, { proof: 'claimed' }] },
    })
  })

  it('takes an outcome out of the mailbox for what its participant signed', async () => {
    const saga = await town.begin()
    await saga.act({ isMailed: true })
    await saga.note({ type: 'unknown', step: 'room', code: 'deadline.exceeded' }, {
      ...ok('room'),
      by: 'mailbox',
    } as SagaEvent)
    const verdict = verify(await saga.export())
    expect(verdict).toMatchObject({ kind: 'proved', account: { facts: [{ proof: 'signed' }] } })
    expect(verdict.kind === 'proved' && verdict.account.facts[0]?.commanded).toBeUndefined()
  })

  it('refuses a file in which any bit is flipped', async () => {
    const text = Buffer.from(await (await unwind(await town.begin())).export())
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.nat(7), (at, bit) => {
        const flipped = Buffer.from(text)
        flipped[at] = (text[at] ?? 0) ^ (1 << bit)
        expect(verify(flipped.toString()).kind).toBe('tampered')
      }),
      { numRuns: 400 },
    )
  })

  it('refuses a file that lacks a line, has one twice, or has two in another order', async () => {
    for (const withBodies of [true, false]) {
      const lines = (await (await unwind(await town.begin())).export({ withBodies })).trimEnd().split('\n')
      const isBodies = (at: number): boolean => lines[at]?.startsWith('{"salt"') === true
      for (let at = 0; at < lines.length; at++) {
        const without = lines.toSpliced(at, 1)
        // What is left out on purpose is told as such, and never as proved.
        if (isBodies(at))
          expect(verify(`${without.join('\n')}\n`)).not.toMatchObject({ account: { facts: [{ output: 'claimed' }] } })
        else expect(verify(`${without.join('\n')}\n`).kind, `without line ${at + 1}`).toBe('tampered')
        const [line = ''] = lines.slice(at)
        const twice = verify(`${lines.toSpliced(at, 0, line).join('\n')}\n`).kind
        if (!line.startsWith('{"paper"')) expect(twice, `line ${at + 1} twice`).toBe('tampered')
        const [, next = ''] = lines.slice(at)
        if (at + 1 === lines.length || (line.startsWith('{"paper"') && next.startsWith('{"paper"'))) continue
        expect(verify(`${lines.toSpliced(at, 2, next, line).join('\n')}\n`).kind, `lines ${at + 1} and the next`).toBe(
          'tampered',
        )
      }
      for (let length = 0; length < lines.length; length++)
        expect(verify(lines.slice(0, length).join('\n')).kind, `cut behind line ${length}`).toBe('tampered')
    }
  })

  it('names the line and the code', async () => {
    const text = await (await unwind(await town.begin())).export()
    const at = text.split('\n').findIndex((line) => line.includes('"type":"turned"'))
    expect(verify(text.replace('"type":"turned"', '"type":"queued"'))).toMatchObject({
      kind: 'tampered',
      code: 'saga.journal-corrupt',
      line: at + 2,
    })
    expect(verify(text.slice(0, text.lastIndexOf('{"end"')))).toEqual(tampered('saga.proof-truncated'))
    expect(verify('')).toEqual(tampered('saga.proof-malformed'))
  })

  it('finds a file that was cut off and ended anew only by a head that was seen before', async () => {
    const saga = await town.begin()
    await saga.act({}, ok('room'))
    const early = await saga.export()
    await saga.act({ step: 'car' }, ok('car'), { type: 'completed', output: {} })
    const late = verify(await saga.export())
    if (late.kind !== 'proved') throw new TypeError(late.kind)
    const { entries, head: hash } = late.account
    const head = { entries, hash }
    expect(verify(early)).toMatchObject({ kind: 'proved', account: { status: 'running' } })
    expect(verifySagaExport(early, { anchors: town.anchors, head })).toEqual(tampered('saga.proof-truncated'))
    expect(verifySagaExport(await saga.export(), { anchors: town.anchors, head }).kind).toBe('proved')
  })

  it('believes no owner whom the verifier does not accept', async () => {
    const text = await (await unwind(await town.begin())).export()
    const { anchors } = await openSignedTown()
    const other = createLocalIssuer({ alias: 'other', clock: town.clock, random: createSeededRandom(3) })
    expect(anchors.ofOwner(other.owner)).toBeUndefined()
    const verdict = verifySagaExport(text, { anchors: (await otherTown()).anchors })
    expect(verdict).toEqual(tampered('identity.owner-unknown'))
  })
})

async function otherTown(): Promise<{ readonly anchors: SignedTown['anchors'] }> {
  const { createAnchors } = await import('@parley/identity')
  const other = createLocalIssuer({ alias: 'acme', clock: town.clock, random: createSeededRandom(5) })
  return { anchors: createAnchors([other.anchor]) }
}

describe('verifySagaExport, against an orchestrator that writes its whole journal anew', () => {
  const lies: readonly (readonly [string, string, () => Act | Promise<Act>])[] = [
    ['an answer by an instance of another name', 'saga.receipt-invalid', () => ({ by: town.inn })],
    [
      'an answer that another instance signed',
      'identity.signature-invalid',
      () => ({ answer: { from: town.inn.signer.did } }),
    ],
    ['an answer to another command', 'saga.receipt-invalid', () => ({ answer: { inReplyTo: 'L'.repeat(43) } })],
    ['an answer of another session', 'saga.receipt-invalid', () => ({ answer: { session: 'x'.repeat(43) } })],
    ['an answer to somebody else', 'saga.receipt-invalid', () => ({ answer: { to: town.inn.signer.did } })],
    ['an answer that says that it was declined', 'saga.receipt-invalid', () => ({ ended: 'declined' })],
    ['an answer that does not say how it ended', 'saga.receipt-invalid', () => ({ answer: { ended: undefined } })],
    [
      'an answer from the future',
      'saga.receipt-invalid',
      () => ({ answer: { issuedAtMs: town.clock.now() + 120_000 } }),
    ],
    ['another output than was answered', 'saga.receipt-invalid', () => ({ output: { ref: 'other' } })],
    ['a command of another saga', 'saga.receipt-invalid', () => ({ saga: { id: 'trip-2' } })],
    ['a command of another step', 'saga.receipt-invalid', () => ({ saga: { step: 'car' } })],
    ['a command of another attempt', 'saga.receipt-invalid', () => ({ saga: { attempt: 2 } })],
    ['a command of another epoch', 'saga.receipt-invalid', () => ({ saga: { epoch: 2 } })],
    ['a command of another phase', 'saga.receipt-invalid', () => ({ saga: { phase: 'undo' } })],
    ['a command under another key', 'saga.receipt-invalid', () => ({ saga: { key: 'other' } })],
    ['a command with another expiry', 'saga.receipt-invalid', () => ({ saga: { expiresAtMs: 1 } })],
    ['a command over another journal', 'saga.receipt-invalid', () => ({ saga: { journal: 'j'.repeat(43) } })],
    ['a command over no journal', 'saga.receipt-invalid', () => ({ saga: { journal: undefined } })],
    ['a command of another capability', 'saga.receipt-invalid', () => ({ command: { capability: 'trips:charge' } })],
    ['a command of another contract', 'saga.receipt-invalid', () => ({ command: { contract: 'c'.repeat(43) } })],
    [
      'a command of another trace',
      'saga.receipt-invalid',
      () => ({ command: { traceparent: `00-${'5'.repeat(32)}-${'1'.repeat(16)}-01` } }),
    ],
    ['a command under a chain that nobody has', 'saga.receipt-invalid', () => ({ command: { chain: 'c'.repeat(43) } })],
    ['a command of another name', 'saga.receipt-invalid', () => ({ commander: town.inn })],
    [
      'a command of an instance that does not own the saga',
      'saga.receipt-invalid',
      async () => ({ commander: await town.party('acme/travel', { calls: ['trips:reserve'] }) }),
    ],
    ['an answer by who may not serve it', 'saga.receipt-invalid', async () => ({ by: await town.party('acme/hotel') })],
    [
      'an answer under a credential that had expired',
      'identity.credential-expired',
      () => ({ answer: { issuedAtMs: town.clock.now() + 1_000_000 } }),
    ],
    [
      'a command under a credential of later',
      'identity.credential-expired',
      () => ({ command: { issuedAtMs: town.clock.now() - 1_000_000 } }),
    ],
  ]

  it.each(lies)('refuses %s', async (_, code, lie) => {
    const saga = await town.begin()
    await saga.act(await lie(), ok('room'))
    expect(verify(await saga.export())).toEqual(tampered(code))
  })

  it('refuses a command that neither credential nor chain allows', async () => {
    const beyond = await town.acme.delegate({ to: 'acme/travel', capabilities: ['trips:charge'], forMs: 600_000 })
    const chained = await town.begin({ delegation: beyond })
    await chained.act({}, ok('room'))
    expect(verify(await chained.export())).toEqual(tampered('delegation.not-granted'))
    const foreign = await town.acme.delegate({ to: 'acme/inn', capabilities: ['trips:reserve'], forMs: 600_000 })
    const stolen = await town.begin({ delegation: foreign })
    await stolen.act({}, ok('room'))
    expect(verify(await stolen.export())).toEqual(tampered('delegation.wrong-delegate'))
    const unchained = await town.begin({ delegation: beyond })
    await unchained.act({ command: { chain: undefined, links: undefined } }, ok('room'))
    expect(verify(await unchained.export())).toEqual(tampered('saga.receipt-invalid'))
    const narrow = await town.acme.delegate({
      to: 'acme/travel',
      capabilities: ['trips:reserve'],
      constraints: { what: { in: ['car'] } },
      forMs: 600_000,
    })
    const constrained = await town.begin({ delegation: narrow })
    await constrained.act({}, ok('room'))
    expect(verify(await constrained.export())).toEqual(tampered('delegation.constraint-violated'))
  })

  it('refuses an end that does not follow: an undo is missing, or a step', async () => {
    const saga = await town.begin()
    await saga.act({}, ok('room'))
    await saga.act({ step: 'car', ended: 'declined' }, declined, turned, { type: 'compensated' })
    expect(verify(await saga.export())).toMatchObject({
      code: 'saga.ending-unproven',
      reason: expect.stringContaining('room is committed') as string,
    })
    const short = await town.begin()
    await short.act({}, ok('room'), { type: 'completed', output: {} })
    expect(verify(await short.export())).toEqual(tampered('saga.ending-unproven'))
    const after = await unwind(await town.begin())
    await after.note({ type: 'unknown', step: 'room', code: 'x' })
    expect(verify(await after.export())).toEqual(tampered('saga.journal-corrupt'))
  })

  it('calls an undo without a receipt a claim, and no proof', async () => {
    const saga = await town.begin()
    await saga.act({}, ok('room'))
    await saga.act({ step: 'car', ended: 'declined' }, declined, turned)
    await saga.note({ type: 'undo-intended', step: 'room', attempt: 1, epoch: 1 }, undone, { type: 'compensated' })
    expect(verify(await saga.export())).toMatchObject({ kind: 'claimed', account: { claimed: ['room'] } })
  })

  it('refuses an undo by the receipt of a step, and a lookup that found something else', async () => {
    const saga = await town.begin()
    await saga.act({}, ok('room'))
    await saga.act({ step: 'car', ended: 'declined' }, declined, turned)
    await saga.act({ phase: 'undo', saga: { phase: 'do' } }, undone)
    expect(verify(await saga.export())).toEqual(tampered('saga.receipt-invalid'))
    const looked = await town.begin()
    await looked.act({ ended: 'unknown' }, { type: 'unknown', step: 'room', code: 'x' })
    await looked.act({ phase: 'lookup', ended: 'found-absent' }, { ...ok('room'), by: 'lookup' } as SagaEvent)
    expect(verify(await looked.export())).toEqual(tampered('saga.receipt-invalid'))
  })

  it('refuses a saga that an older epoch took', async () => {
    const saga = await town.begin()
    await saga.note({ type: 'owned', instance: town.inn.signer.did, epoch: 1 })
    expect(verify(await saga.export())).toEqual(tampered('saga.journal-corrupt'))
  })
})

describe('verifySagaExport, on what people decided', () => {
  const order = { agent: 'acme/travel', saga: 'trip-1', decision: 'cancel', reason: 'changed my mind' } as const

  async function decide(
    content: Readonly<Record<string, unknown>>,
    written: Readonly<Record<string, unknown>> = {},
    human: 1 | 2 | null = 2,
    times = 1,
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
      await saga.note({ type: 'decided', decision, reason, by: 'staff/ann', declaration, ...written } as SagaEvent)
    const { createAnchors } = await import('@parley/identity')
    return verifySagaExport(await saga.export(), { anchors: createAnchors([acme.anchor, staff.anchor]) })
  }

  it('tells who decided', async () => {
    expect(await decide(order)).toMatchObject({
      kind: 'proved',
      account: { decisions: [{ decision: 'cancel', by: { name: 'staff/ann' }, reason: order.reason }] },
    })
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
