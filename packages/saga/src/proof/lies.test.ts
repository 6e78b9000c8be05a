import { beforeAll, describe, expect, it } from 'vitest'
import type { SagaEvent } from '../kernel/saga-event.ts'
import { openSignedTown, type Act, type SignedTown } from '../testing/signed-saga.fixture.ts'
import { declined, ok, tampered, turned, undone, unwind } from '../testing/unwound-saga.fixture.ts'
import type { SagaVerdict } from './saga-account.ts'
import { verifySagaExport } from './verify-saga-export.ts'

let town: SignedTown

const verify = (text: string): SagaVerdict => verifySagaExport(text, { anchors: town.anchors })

beforeAll(async () => {
  town = await openSignedTown()
})

describe('verifySagaExport against an orchestrator that writes its whole journal anew', () => {
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

  it('believes no undo that was only said, though a true receipt follows that changes nothing', async () => {
    const saga = await town.begin()
    await saga.act({}, ok('room'))
    await saga.act({ step: 'car', ended: 'declined' }, declined, turned)
    await saga.note({ type: 'undo-intended', step: 'room', attempt: 1, epoch: 1 })
    await saga.note(undone)
    await saga.note(ok('room'), { type: 'compensated' })
    expect(verify(await saga.export())).toMatchObject({ kind: 'claimed', account: { claimed: ['room'] } })
  })

  it.each([
    { type: 'provider-skipped', step: 'room', provider: 'acme/hotel', code: 'mesh.no-provider', retryable: false },
    { type: 'deferred', step: 'room', code: 'mesh.no-provider', untilMs: 1 },
  ] satisfies readonly SagaEvent[])('believes no word that nothing was sent: $type', async (hidden) => {
    const saga = await town.begin()
    await saga.note(
      {
        type: 'intended',
        step: 'room',
        attempt: 1,
        epoch: 1,
        key: 'acme/travel/trip-1/room',
        provider: 'acme/hotel',
        input: { what: 'room' },
      },
      hidden,
      { type: 'turned', step: 'room', code: 'mesh.no-provider' },
      { type: 'compensated' },
    )
    expect(verify(await saga.export())).toMatchObject({ kind: 'claimed', account: { claimed: ['room'] } })
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
