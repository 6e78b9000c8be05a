import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createLocalIssuer,
  createNatsAccount,
  formatJoinToken,
  generateInstanceKeys,
  type JoinRequest,
  type LocalIssuer,
} from '@parley/identity'
import { createIssuerNode, createNode, joinMesh, rejoinMesh, type AppendedRecord, type MeshNode } from '@parley/mesh'
import { createSystemClock } from '@parley/ports'
import { formatInboxSubject } from '@parley/protocol'
import { connectNats } from '@parley/transport-nats'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { shop, soundServes } from '../integration/shop.ts'
import { collect, mesh, random, seeds, startOperatorFence } from './fence.ts'

const clock = createSystemClock()
const nodes: MeshNode[] = []

describe('a process with a join token behind a fence', () => {
  let fence: Awaited<ReturnType<typeof startOperatorFence>>
  let acme: LocalIssuer
  let issuer: MeshNode
  let dir: string
  const records: AppendedRecord[] = []
  beforeAll(async () => {
    fence = await startOperatorFence()
    const natsAccount = createNatsAccount(fence.facts, seeds)
    acme = createLocalIssuer({ alias: 'acme', clock, random, credentialMs: 4_000, natsAccount })
    issuer = await createIssuerNode({
      issuer: acme,
      nats: fence.server.url,
      keys: generateInstanceKeys(random),
      onRecord: (record) => void records.push(record),
    })
    await issuer.start()
  })
  afterAll(async () => {
    await issuer.close()
    await fence.server.stop()
  })
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'parley-joiner-'))
  })
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.close()))
    await rm(dir, { recursive: true })
  })
  const makeToken = async (name: string, more: Partial<JoinRequest> = {}): Promise<string> => {
    const asked = { name, nats: fence.server.url, mesh, door: issuer.instance, ...more }
    return formatJoinToken((await acme.joinToken(asked)).token)
  }
  const openCounter = async (): Promise<MeshNode> => {
    const counter = await createNode({
      name: 'acme/shop',
      issuer: joinMesh(await makeToken('acme/shop')),
      serves: [shop],
    })
    nodes.push(counter)
    counter.serve(shop, soundServes)
    await counter.start()
    return counter
  }
  const openDesk = async (source: Parameters<typeof createNode>[0]['issuer']): Promise<MeshNode> => {
    const desk = await createNode({ name: 'acme/desk', issuer: source, calls: [shop.buy] })
    nodes.push(desk)
    await desk.start()
    return desk
  }

  it('gets in with nothing else, without a reload, and goes on with users of its own as they lapse', async () => {
    const counter = await openCounter()
    const desk = await openDesk(joinMesh(await makeToken('acme/desk')))
    const tally: Record<string, number> = {}
    const untilMs = performance.now() + 4_500
    while (performance.now() < untilMs) {
      const { kind } = await desk.tryCall(shop.buy, { item: 'lamp' })
      tally[kind] = (tally[kind] ?? 0) + 1
    }
    expect(Object.keys(tally)).toEqual(['ok'])
    expect(counter.health().ready).toBe(true)
    const issued = records.filter(({ capability }) => capability === 'issuer:issue')
    expect(issued).toMatchObject([
      { peer: 'acme/shop', outcome: 'ok' },
      { peer: 'acme/desk', outcome: 'ok' },
    ])
    expect(records.some(({ capability }) => capability === 'issuer:renew')).toBe(true)
  }, 30_000)

  it('is seen by nobody but its issuer until it has a credential', async () => {
    const tap = await connectNats({ servers: fence.server.url, ...fence.operator })
    const units = await collect(tap, `iatp.1.${mesh}.>`)
    const token = await makeToken('acme/desk')
    const { login } = joinMesh(token)
    const me = login?.voucher.did ?? 'did:key:z'
    await openDesk(joinMesh(token))
    await tap.flush()
    const ofVoucher = units.filter(({ subject }) => subject.includes(me.slice(8))).map(({ subject }) => subject)
    expect(new Set(ofVoucher)).toEqual(
      new Set([formatInboxSubject(mesh, issuer.instance, me), formatInboxSubject(mesh, me, issuer.instance)]),
    )
    await tap.close()
  })

  it('gets in once, and not with a login that lapsed', async () => {
    const token = await makeToken('acme/desk')
    await openDesk(joinMesh(token))
    await expect(openDesk(joinMesh(token))).rejects.toMatchObject({ code: 'identity.join-token-used' })
    const brief = await makeToken('acme/desk', { lifeMs: 1_000 })
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    await expect(openDesk(joinMesh(brief))).rejects.toMatchObject({ code: 'transport.connect-failed' })
  })

  it('comes back after a restart, with a login of its own', async () => {
    await openCounter()
    const token = await makeToken('acme/desk')
    const instances: string[] = []
    for (let start = 0; start < 3; start++) {
      const desk = await openDesk(await rejoinMesh({ dir, token }))
      instances.push(desk.instance)
      expect(await desk.tryCall(shop.buy, { item: 'lamp' })).toMatchObject({ kind: 'ok' })
      await desk.close()
    }
    expect(new Set(instances).size).toBe(3)
  })

  it('does not get in where its token has no login', async () => {
    const { token } = await acme.joinToken({ name: 'acme/desk', nats: fence.server.url, mesh })
    await expect(openDesk(joinMesh(formatJoinToken(token)))).rejects.toMatchObject({
      code: 'transport.connect-failed',
    })
  })
})
