import { createKeyAgreement } from '@parley/identity'
import { defineContract, type MeshNode } from '@parley/mesh'
import { createTestMesh, type TestMesh } from '@parley/testkit'
import { createMemoryBodyStore } from '@parley/transport-memory'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createRogue, type Received, type Rogue } from './rogue.ts'
import { tapWire, type Wire } from './wire.ts'

const text = z.object({ text: z.string() })
const ward = defineContract('ward', {
  read: { input: text, stream: text, output: text, risk: 'read', confidential: true },
  treat: { input: text, progress: text, output: text, risk: 'reversible', confidential: true },
  report: { input: text, progress: text, output: text, risk: 'read' },
})
const secret = 'the patient of room nine'
const serves = { 'ward:read': ward.read.hash, 'ward:treat': ward.treat.hash }

interface Ward extends AsyncDisposable {
  readonly mesh: TestMesh
  readonly nurse: MeshNode
  readonly desk: MeshNode
  readonly wire: Wire
}

async function openWard(): Promise<Ward> {
  const mesh = createTestMesh()
  const bodies = createMemoryBodyStore(mesh)
  const nurse = await mesh.node('acme/nurse', {
    serves: [ward],
    bodies,
    serve: (node) => {
      node.serve(ward, {
        async *read(input) {
          for (let part = 1; part <= 40; part++) yield { text: `${String(part)} ${input.text}` }
          return input
        },
        async treat(input, hop) {
          hop.accept(500)
          await hop.progress({ text: `begun: ${input.text}` })
          if (input.text === secret) return input
          return new Promise((resolve) => {
            hop.signal.addEventListener('abort', () => {
              resolve({ text: `undone: ${secret}` })
            })
          })
        },
        report(input, hop) {
          hop.accept(500)
          return { text: input.text.repeat(1_000_000) }
        },
      })
    },
  })
  const desk = await mesh.node('acme/desk', { calls: [ward.read, ward.treat, ward.report], bodies })
  return { mesh, nurse, desk, wire: tapWire(mesh.bus), [Symbol.asyncDispose]: () => mesh.close() }
}

/** A callee played by hand, in a session that has keys. */
async function answerHello(open: Ward, rogue: Rogue): Promise<Received> {
  const hello = rogue.last()
  const share = Buffer.from(hello.header.keyShare ?? '', 'base64url')
  const info = Buffer.concat([Buffer.from('iatp/1/session'), Buffer.from(hello.leaf, 'base64url')])
  const made = await createKeyAgreement(open.mesh.random).encapsulate(share, info)
  if (made.kind === 'deny') throw new Error(made.reason)
  const keyShare = Buffer.from(made.encapsulated).toString('base64url')
  const { header } = rogue.hello({ type: 'welcome', inReplyTo: hello.leaf, version: 1, suite: 1, keyShare })
  await rogue.send(open.desk.instance, { header })
  return rogue.last()
}

describe('a confidential call', () => {
  it('says nothing in the clear: parts, leases, progress and every way to end are sealed', async () => {
    await using open = await openWard()
    const stream = open.desk.stream(ward.read, { text: secret })
    const parts: string[] = []
    for await (const part of stream) parts.push(part.text)
    expect(parts).toEqual(Array.from({ length: 40 }, (_, at) => `${String(at + 1)} ${secret}`))
    expect((await stream.outcome).kind).toBe('ok')
    const told: string[] = []
    const onProgress = (progress: { readonly text: string }): void => void told.push(progress.text)
    const treated = await open.desk.tryCall(ward.treat, { text: secret }, { onProgress })
    expect(treated).toMatchObject({ kind: 'ok', output: { text: secret } })
    expect(told).toEqual([`begun: ${secret}`])
    const leaving = new AbortController()
    const taken = open.desk.tryCall(ward.treat, { text: 'x' }, { signal: leaving.signal })
    await open.mesh.clock.settle()
    leaving.abort()
    expect(await taken).toMatchObject({ kind: 'ok', output: { text: `undone: ${secret}` } })

    expect(open.wire.units.some(({ data }) => Buffer.from(data).includes(secret))).toBe(false)
    const inSession = open.wire.headers().filter(({ counter }) => counter !== undefined)
    const bare = inSession.filter(({ sealed }) => sealed !== true)
    expect(new Set(inSession.map(({ type }) => type))).toEqual(
      new Set(['request', 'reply', 'part', 'accepted', 'progress', 'completed', 'cancel', 'closed']),
    )
    expect(bare.every(({ type, credit }) => type === 'cancel' || (type === 'part' && credit !== undefined))).toBe(true)
  })

  it('takes no part in the clear from its callee', async () => {
    await using open = await openWard()
    const rogue = await createRogue(open.mesh, 'acme/played', { serves: ['ward:read'] })
    await rogue.emit('card', { boot: 'b', serves, leaving: false })
    const stream = open.desk.stream(ward.read, { text: secret }, { to: 'acme/played' })
    await open.mesh.clock.settle()
    const { header, leaf } = await answerHello(open, rogue)
    await rogue.send(open.desk.instance, {
      header: { type: 'part', session: header.session, counter: 1, part: 1, inReplyTo: leaf },
      body: { text: 'forged' },
    })
    await open.mesh.clock.advance(1_000)
    expect(await stream.outcome).toMatchObject({ kind: 'unknown', code: 'iatp.confidentiality-required' })
    expect(
      await stream[Symbol.asyncIterator]()
        .next()
        .catch(() => 'threw'),
    ).toBe('threw')
  })

  it('is neither renewed nor told of in the clear', async () => {
    await using open = await openWard()
    const rogue = await createRogue(open.mesh, 'acme/played', { serves: ['ward:treat'] })
    await rogue.emit('card', { boot: 'b', serves, leaving: false })
    const told: unknown[] = []
    const options = { to: 'acme/played' as const, deadlineMs: 900, onProgress: (each: unknown) => told.push(each) }
    const call = open.desk.tryCall(ward.treat, { text: secret }, options)
    await open.mesh.clock.settle()
    const { header, leaf } = await answerHello(open, rogue)
    await rogue.send(open.desk.instance, {
      header: { type: 'progress', session: header.session, counter: 1, leaseMs: 60_000, inReplyTo: leaf },
      body: { text: 'forged' },
    })
    await open.mesh.clock.advance(900)
    expect(await call).toMatchObject({ kind: 'unknown', code: 'deadline.exceeded' })
    expect(told).toEqual([])
  })
})

describe('the end of long work', () => {
  it('has its body in the envelope: one that is too large is not told, by reference or otherwise', async () => {
    await using open = await openWard()
    const outcome = await open.desk.tryCall(ward.report, { text: 'abc' })
    expect(outcome).toMatchObject({ kind: 'unknown', code: 'contract.output-invalid' })
    expect(open.wire.headers().some(({ bodyRef }) => bodyRef !== undefined)).toBe(false)
  })

  it('is not taken by reference', async () => {
    await using open = await openWard()
    const rogue = await createRogue(open.mesh, 'acme/played', { serves: ['ward:report'] })
    await rogue.emit('card', { boot: 'b', serves: { 'ward:report': ward.report.hash }, leaving: false })
    const call = open.desk.tryCall(ward.report, { text: 'abc' }, { to: 'acme/played', deadlineMs: 900 })
    await open.mesh.clock.settle()
    const { header, leaf } = await answerHello(open, rogue)
    const bodyRef = { hash: leaf, bytes: 3, where: 'somewhere' }
    await rogue.send(open.desk.instance, {
      header: { type: 'completed', session: header.session, counter: 1, inReplyTo: leaf, bodyRef },
      body: new Uint8Array(),
    })
    await open.mesh.clock.advance(900)
    expect(await call).toMatchObject({ kind: 'unknown', code: 'deadline.exceeded' })
    const refused = open.mesh.recordsOf(open.desk).findLast(({ kind }) => kind === 'envelope')
    expect(refused).toMatchObject({ code: 'iatp.body-unreadable', stage: 'unseal' })
  })
})
