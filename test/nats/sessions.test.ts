import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { initFileIssuer, openFileIssuer } from '@parley/identity'
import { createNode, type MeshNode } from '@parley/mesh'
import { findNatsServer, startNatsServer, type RunningNatsServer } from '@parley/nats-server'
import { createSystemClock, createSystemRandom, type Delivery, type Transport } from '@parley/ports'
import { connectNats } from '@parley/transport-nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readHeaders } from '../integration/wire.ts'
import { answered, clinic, startSeededNode } from './seeded-node.ts'

const cacheDir = join(import.meta.dirname, '../../.parley/cache')
const question = 'room nine'
let server: RunningNatsServer
let dir: string
let issuerDir: string

beforeAll(async () => {
  server = await startNatsServer({ binary: await findNatsServer({ env: process.env, cacheDir }) })
  dir = await mkdtemp(join(tmpdir(), 'parley-sessions-'))
  issuerDir = join(dir, 'issuer')
  await initFileIssuer({ dir: issuerDir, alias: 'acme', clock: createSystemClock(), random: createSystemRandom() })
}, 180_000)
afterAll(async () => {
  await server.stop()
  await rm(dir, { recursive: true, force: true })
})

async function openDesk(): Promise<MeshNode> {
  const ports = { clock: createSystemClock(), random: createSystemRandom() }
  const issuer = await openFileIssuer({ dir: issuerDir, ...ports })
  const desk = await createNode({ name: 'acme/desk', issuer, nats: server.url, calls: [clinic.ask, clinic.open] })
  await desk.start()
  return desk
}

/** Listens to all that goes over the server, as who runs it can. */
async function openTap(): Promise<{ readonly tap: Transport; readonly units: readonly Delivery[] }> {
  const units: Delivery[] = []
  const tap = await connectNats({ servers: server.url })
  await tap.subscribe('>', (unit) => units.push(unit))
  return { tap, units }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await holds()) return
    await sleep(25)
  }
  throw new Error('it did not come to that within five seconds')
}

interface Sight {
  readonly instance: string
  readonly reasons: readonly string[]
  readonly conflicts: number
  readonly asked: readonly string[]
}

async function lookAt(twin: ChildProcess): Promise<Sight> {
  const told = once(twin, 'message')
  twin.send('look')
  const [sight] = (await told) as unknown as readonly [Sight]
  return sight
}

describe('confidential bodies over a real server', () => {
  it('are read by nobody who listens to everything, while others are', async () => {
    const { tap, units } = await openTap()
    const seed = createSystemRandom().bytes(32)
    const { node: doctor } = await startSeededNode(server.url, issuerDir, seed)
    await using desk = await openDesk()
    for (let call = 0; call < 5; call++)
      expect(await desk.call(clinic.ask, { text: question }, { to: 'acme/doctor' })).toEqual({
        text: `${answered}${question}`,
      })
    await until(() => units.flatMap(readHeaders).filter(({ type }) => type === 'reply').length === 5)
    const seen = (secret: string): boolean => units.some(({ data }) => Buffer.from(data).includes(secret))
    expect([seen(question), seen(answered)]).toEqual([false, false])
    await desk.call(clinic.open, { text: question }, { to: 'acme/doctor' })
    await until(() => seen(question) && seen(answered))
    await doctor.close()
    await tap.close()
  })
})

describe('a second process with the key of a first one', () => {
  it('stops both, and a copied request runs at neither', async () => {
    const { tap, units } = await openTap()
    const seed = createSystemRandom().bytes(32)
    const first = await startSeededNode(server.url, issuerDir, seed)
    await using desk = await openDesk()
    await desk.call(clinic.open, { text: question }, { to: 'acme/doctor' })
    await until(() => units.some((unit) => readHeaders(unit).some(({ type }) => type === 'request')))
    const request = units.find((unit) => readHeaders(unit).some(({ type }) => type === 'request'))
    const hex = Buffer.from(seed).toString('hex')
    const twin = fork(join(import.meta.dirname, 'twin-process.ts'), [server.url, issuerDir, hex])
    try {
      expect(await once(twin, 'message')).toContain('ready')
      await until(async () => (await lookAt(twin)).conflicts > 0 && first.node.health().reasons.length > 0)
      const sight = await lookAt(twin)
      expect(sight).toMatchObject({ instance: first.node.instance, conflicts: 1, reasons: ['the node is conflicted'] })
      expect(first.node.health()).toMatchObject({ live: false, ready: false, reasons: ['the node is conflicted'] })
      if (!request) throw new Error('no request was seen')
      tap.publish(request.subject, request.data)
      await tap.flush()
      const after = await desk.tryCall(clinic.open, { text: 'more' }, { to: 'acme/doctor', deadlineMs: 1_500 })
      expect(after.kind).toBe('refused')
      expect(first.asked).toEqual([question])
      expect((await lookAt(twin)).asked).toEqual([])
    } finally {
      const ended = once(twin, 'exit')
      twin.disconnect()
      await ended
    }
    await first.node.close()
    await tap.close()
  })
})
