import { createAnchors, createLocalIssuer } from '@parley/identity'
import { createSeededRandom } from '@parley/ports'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { SagaEvent } from '../kernel/saga-event.ts'
import { openSignedTown, type SignedTown } from '../testing/signed-saga.fixture.ts'
import { ok, tampered, unwind } from '../testing/unwound-saga.fixture.ts'
import type { SagaVerdict } from './saga-account.ts'
import { verifySagaExport } from './verify-saga-export.ts'

let town: SignedTown

const verify = (text: string): SagaVerdict => verifySagaExport(text, { anchors: town.anchors })

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
            step: 'room',
            fact: 'committed',
            proof: 'signed',
            by,
            input: 'signed',
            output: 'signed',
            commanded: { ...asked, authority: { kind: 'own' } },
          },
          { step: 'car', fact: 'declined', code: 'full', proof: 'signed', by },
          {
            step: 'room',
            fact: 'undone',
            phase: 'undo',
            proof: 'signed',
            by,
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

  it("takes an agent's word about what it did itself only where the verifier says so", async () => {
    const saga = await town.begin()
    for (const name of ['room', 'car'])
      await saga.note(
        { type: 'intended', step: name, attempt: 1, epoch: 1, key: name, provider: 'acme/travel', input: {} },
        ok(name),
      )
    await saga.note({ type: 'completed', output: {} })
    const text = await saga.export()
    expect(verify(text)).toMatchObject({ kind: 'claimed', account: { claimed: ['room', 'car'] } })
    expect(verifySagaExport(text, { anchors: town.anchors, believesOwn: true })).toMatchObject({
      kind: 'proved',
      account: { claimed: [], facts: [{ proof: 'claimed' }, { proof: 'claimed' }] },
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

  it.each([true, false])(
    'refuses a file that lacks a line, has one twice, or two in another order: bodies %s',
    async (withBodies) => {
      const lines = (await (await unwind(await town.begin())).export({ withBodies })).trimEnd().split('\n')
      const kindOf = (at: number): string => /^\{"(\w+)"/.exec(lines[at] ?? '')?.[1] ?? ''
      const edits = lines.flatMap((line, at): readonly (readonly [string, readonly string[]])[] => [
        // Bodies may be left out, and the order of credentials says nothing.
        ...(kindOf(at) === 'salt' ? [] : [[`without line ${at + 1}`, lines.toSpliced(at, 1)] as const]),
        ...(kindOf(at) === 'paper' ? [] : [[`line ${at + 1} twice`, lines.toSpliced(at, 0, line)] as const]),
        ...(kindOf(at) === 'paper' || kindOf(at) === 'end'
          ? []
          : [[`line ${at + 1} behind the next`, lines.toSpliced(at, 2, lines[at + 1] ?? '', line)] as const]),
      ])
      const cuts = lines.map((_, length) => [`cut behind line ${length}`, lines.slice(0, length)] as const)
      const passed = [...edits, ...cuts].filter(([, edited]) => verify(`${edited.join('\n')}\n`).kind !== 'tampered')
      expect(passed.map(([edit]) => edit)).toEqual([])
    },
  )

  it('names the line and the code', async () => {
    const text = await (await unwind(await town.begin())).export()
    const at = text.split('\n').findIndex((line) => line.includes('"type":"turned"'))
    expect(verify(text.replace('"type":"turned"', '"type":"queued"'))).toMatchObject({
      kind: 'tampered',
      code: 'saga.proof-altered',
      reason: expect.stringMatching(/^entry \d+ .* the file is not as it was exported$/) as string,
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
    const other = createLocalIssuer({ alias: 'acme', clock: town.clock, random: createSeededRandom(5) })
    const verdict = verifySagaExport(text, { anchors: createAnchors([other.anchor]) })
    expect(verdict).toMatchObject({ kind: 'unaccepted', code: 'identity.owner-unknown' })
  })
})
