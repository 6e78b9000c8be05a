import { createKeyAgreement } from '@parley/identity'
import { defineContract, type MeshNode } from '@parley/mesh'
import type { Delivery } from '@parley/ports'
import { createTestMesh, type TestMesh, type TestNodeOptions } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createRogue } from './rogue.ts'
import { readHeaders, tapWire } from './wire.ts'

const text = z.object({ text: z.string() })
const clinic = defineContract('clinic', {
  ask: { input: text, output: text, errors: { busy: text }, risk: 'read', confidential: true },
  open: { input: text, output: text, risk: 'read' },
})

const question = 'the patient of room nine'
const secrets = [question, 'answered: ', 'nobody is free']

interface Clinic extends AsyncDisposable {
  readonly mesh: TestMesh
  readonly desk: MeshNode
  readonly doctor: MeshNode
}

async function openClinic(
  more: { readonly doctor?: TestNodeOptions; readonly desk?: TestNodeOptions; readonly seed?: number } = {},
): Promise<Clinic> {
  const mesh = createTestMesh({ seed: more.seed ?? 1 })
  const doctor = await mesh.node('acme/doctor', {
    serves: [clinic],
    serve: (node) => {
      node.serve(clinic, {
        ask: (input, hop) =>
          input.text === 'busy' ? hop.decline('busy', { text: 'nobody is free' }) : { text: `answered: ${input.text}` },
        open: (input) => ({ text: `answered: ${input.text}` }),
      })
    },
    ...more.doctor,
  })
  const desk = await mesh.node('acme/desk', { calls: [clinic.ask, clinic.open], ...more.desk })
  return { mesh, desk, doctor, [Symbol.asyncDispose]: () => mesh.close() }
}

const holds = (units: readonly Delivery[], secret: string): boolean =>
  units.some(({ data }) => Buffer.from(data).includes(secret))

describe('a confidential capability', () => {
  it('puts no body on the wire, whatever the outcome', async () => {
    await using open = await openClinic()
    const wire = tapWire(open.mesh.bus)
    const asked = await open.desk.tryCall(clinic.ask, { text: question })
    expect(asked).toMatchObject({ kind: 'ok', output: { text: `answered: ${question}` } })
    expect(await open.desk.tryCall(clinic.ask, { text: 'busy' })).toMatchObject({ kind: 'declined' })
    expect(secrets.filter((secret) => holds(wire.units, secret))).toEqual([])
    const sealed = wire.headers().filter(({ type }) => type === 'request' || type === 'reply')
    expect(sealed.map((header) => header.sealed)).toEqual([true, true, true, true])
  })

  it('is what keeps a body off the wire: one beside it is seen', async () => {
    await using open = await openClinic()
    const wire = tapWire(open.mesh.bus)
    await open.desk.call(clinic.open, { text: question })
    expect(holds(wire.units, question)).toBe(true)
    expect(wire.headers().some(({ sealed }) => sealed === true)).toBe(false)
  })

  it('is recorded as sealed on both sides', async () => {
    await using open = await openClinic()
    await open.desk.call(clinic.ask, { text: question })
    await open.mesh.clock.settle()
    for (const node of [open.desk, open.doctor])
      expect(open.mesh.recordsOf(node).findLast(({ kind }) => kind === 'hop')).toMatchObject({ sealed: true })
  })

  it('has another hash than the same capability in the clear', () => {
    const plain = defineContract('clinic', { ask: { input: text, output: text, errors: { busy: text }, risk: 'read' } })
    expect(plain.ask.hash).not.toBe(clinic.ask.hash)
  })

  it('is the same bytes for the same seed, and other ciphertext for another', async () => {
    const run = async (seed: number): Promise<string> => {
      await using open = await openClinic({ seed })
      const wire = tapWire(open.mesh.bus)
      await open.desk.call(clinic.ask, { text: question })
      return wire.units.map(({ data }) => Buffer.from(data).toString('base64')).join('\n')
    }
    const first = await run(7)
    expect(await run(7)).toBe(first)
    expect(await run(8)).not.toBe(first)
  })
})

describe('a session without a key share', () => {
  it('is refused a confidential capability by the callee, and serves others', async () => {
    await using open = await openClinic()
    const rogue = await createRogue(open.mesh, 'acme/rogue', { calls: ['clinic:ask', 'clinic:open'] })
    const session = await rogue.shake(open.doctor.instance)
    const send = async (counter: number, contract: typeof clinic.ask | typeof clinic.open, header = {}) => {
      await rogue.send(open.doctor.instance, rogue.request(session, counter, contract, { header, body: { text: 'x' } }))
      return (rogue.last().body as { readonly outcome: unknown }).outcome
    }
    expect(await send(1, clinic.ask)).toMatchObject({ kind: 'refused', code: 'iatp.confidentiality-required' })
    expect(await send(2, clinic.open)).toMatchObject({ kind: 'ok' })
    expect(await send(3, clinic.ask, { sealed: true })).toMatchObject({ kind: 'refused', code: 'iatp.body-unreadable' })
  })

  it('is refused a confidential capability by the caller, which sends no request', async () => {
    await using open = await openClinic()
    const rogue = await createRogue(open.mesh, 'acme/played', { serves: ['clinic:ask', 'clinic:open'] })
    const serves = { 'clinic:ask': clinic.ask.hash, 'clinic:open': clinic.open.hash }
    await rogue.emit('card', { boot: 'b', serves, leaving: false })
    const call = open.desk.tryCall(clinic.ask, { text: question }, { to: 'acme/played' })
    await open.mesh.clock.settle()
    const hello = rogue.last()
    const { header } = rogue.hello({ type: 'welcome', inReplyTo: hello.leaf, version: 1, suite: 1 })
    await rogue.send(open.desk.instance, { header })
    expect(await call).toMatchObject({
      kind: 'refused',
      code: 'iatp.confidentiality-required',
      hop: { sent: false, refusedBy: 'seal' },
    })
    expect(rogue.inbox.map((received) => received.header.type)).toEqual(['hello', 'ready'])
  })

  it.each([
    ['of small order', Buffer.alloc(32)],
    ['that agrees on zero', Buffer.from('01'.padEnd(64, '0'), 'hex')],
  ])('cannot be had with a share %s', async (_, share) => {
    await using open = await openClinic()
    const rogue = await createRogue(open.mesh, 'acme/rogue')
    const hello = rogue.hello({ keyShare: share.toString('base64url') })
    await expect(rogue.shake(open.doctor.instance, hello)).rejects.toThrow('iatp.handshake-failed')
  })

  it('and one with a share both take nothing that does not open', async () => {
    await using open = await openClinic()
    const rogue = await createRogue(open.mesh, 'acme/rogue', { calls: ['clinic:ask'] })
    const hello = rogue.hello({ keyShare: Buffer.alloc(32, 9).toString('base64url') })
    const session = await rogue.shake(open.doctor.instance, hello)
    for (const [counter, body] of [
      [1, new Uint8Array()],
      [2, new Uint8Array(16)],
      [3, new Uint8Array(400)],
    ] as const)
      await rogue.send(
        open.doctor.instance,
        rogue.request(session, counter, clinic.ask, { header: { sealed: true }, body }),
      )
    const codes = rogue.inbox.map(({ body }) => (body as { outcome?: { code?: string } } | undefined)?.outcome?.code)
    expect(codes.slice(-3)).toEqual(Array.from({ length: 3 }, () => 'iatp.body-unreadable'))
  })
})

describe('a lost or late message', () => {
  it('of a confidential session loses only itself (T49)', async () => {
    await using open = await openClinic()
    await open.desk.call(clinic.ask, { text: 'first' })
    let seen = 0
    const isRequest = (unit: Delivery): boolean => readHeaders(unit).some(({ type }) => type === 'request')
    // The second request is lost, the third is late, the fourth overtakes it.
    open.mesh.bus.inject({ kind: 'drop', when: (unit) => isRequest(unit) && ++seen === 1 })
    open.mesh.bus.inject({ kind: 'delay', delayMs: 100, when: (unit) => isRequest(unit) && seen === 2 })
    const calls: Promise<unknown>[] = []
    for (const name of ['lost', 'late', 'overtaking']) {
      calls.push(open.desk.tryCall(clinic.ask, { text: name }, { deadlineMs: 500 }))
      await open.mesh.clock.settle()
    }
    await open.mesh.clock.advance(500)
    expect(await Promise.all(calls)).toMatchObject([
      { kind: 'unknown', code: 'deadline.exceeded' },
      { kind: 'ok', output: { text: 'answered: late' } },
      { kind: 'ok', output: { text: 'answered: overtaking' } },
    ])
  })
})

describe('a node that seals bodies', () => {
  it('sends none in the clear, and its peer answers in kind', async () => {
    await using open = await openClinic({ desk: { sealBodies: true } })
    const wire = tapWire(open.mesh.bus)
    expect(await open.desk.call(clinic.open, { text: question })).toEqual({ text: `answered: ${question}` })
    expect(secrets.filter((secret) => holds(wire.units, secret))).toEqual([])
  })

  it('takes none in the clear', async () => {
    await using open = await openClinic({ doctor: { sealBodies: true } })
    const outcome = await open.desk.tryCall(clinic.open, { text: question })
    expect(outcome).toMatchObject({ kind: 'refused', code: 'iatp.confidentiality-required', hop: { sent: true } })
  })

  it('does not believe an answer in the clear', async () => {
    await using open = await openClinic()
    const rogue = await createRogue(open.mesh, 'acme/played', { serves: ['clinic:ask'] })
    await rogue.emit('card', { boot: 'b', serves: { 'clinic:ask': clinic.ask.hash }, leaving: false })
    const call = open.desk.tryCall(clinic.ask, { text: question }, { to: 'acme/played', deadlineMs: 900 })
    await open.mesh.clock.settle()
    const hello = rogue.last()
    const share = Buffer.from(hello.header.keyShare ?? '', 'base64url')
    const info = Buffer.concat([Buffer.from('iatp/1/session'), Buffer.from(hello.leaf, 'base64url')])
    const made = await createKeyAgreement(open.mesh.random).encapsulate(share, info)
    if (made.kind === 'deny') throw new Error(made.reason)
    const keyShare = Buffer.from(made.encapsulated).toString('base64url')
    const { header } = rogue.hello({ type: 'welcome', inReplyTo: hello.leaf, version: 1, suite: 1, keyShare })
    await rogue.send(open.desk.instance, { header })
    const request = rogue.last()
    expect(request.header).toMatchObject({ type: 'request', sealed: true })
    await rogue.send(open.desk.instance, {
      header: { type: 'reply', session: request.header.session, counter: 1, inReplyTo: request.leaf },
      body: { outcome: { kind: 'ok', output: { text: 'forged' } } },
    })
    await open.mesh.clock.advance(900)
    expect(await call).toMatchObject({ kind: 'unknown', code: 'iatp.confidentiality-required' })
  })
})
