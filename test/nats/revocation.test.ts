import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { initFileIssuer, openFileIssuer } from '@parley/identity'
import { createNode, type MeshNode, type Outcome } from '@parley/mesh'
import { findNatsServer, startNatsServer, type RunningNatsServer } from '@parley/nats-server'
import { createSystemClock, createSystemRandom, type Transport } from '@parley/ports'
import { connectNats } from '@parley/transport-nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { echo, momentMs, openSilentIssuer, type Seen } from './revocable-mesh.ts'

const cacheDir = join(import.meta.dirname, '../../.parley/cache')
const runs = 20
const inFlight = 64
/** How long an order may take while its node is connected. */
const boundMs = 1_000
/** Calls end by what they are told, long before this. */
const deadlineMs = 10_000

let server: RunningNatsServer
let dir: string
let issuerDir: string

beforeAll(async () => {
  server = await startNatsServer({ binary: await findNatsServer({ env: process.env, cacheDir }) })
  dir = await mkdtemp(join(tmpdir(), 'parley-revocation-'))
  issuerDir = join(dir, 'issuer')
  await initFileIssuer({ dir: issuerDir, alias: 'acme', clock: createSystemClock(), random: createSystemRandom() })
}, 180_000)
afterAll(async () => {
  await server.stop()
  await rm(dir, { recursive: true, force: true })
})

/** Connects somebody who does not want to hear what was taken back. */
async function connectDeaf(): Promise<Transport> {
  const transport = await connectNats({ servers: server.url })
  return {
    ...transport,
    subscribe: (pattern, onDelivery) =>
      transport.subscribe(pattern, (unit) => {
        if (!unit.subject.includes('.event.orders')) onDelivery(unit)
      }),
  }
}

async function openCaller(name: string): Promise<MeshNode> {
  const issuer = await openSilentIssuer(issuerDir)
  const node = await createNode({ name, issuer, transport: await connectDeaf(), calls: echo.capabilities })
  await node.start()
  return node
}

async function lookAt(callee: ChildProcess, name: string): Promise<Seen | undefined> {
  const told = once(callee, 'message')
  callee.send('look')
  const [seen] = (await told) as unknown as readonly [Readonly<Record<string, Seen>>]
  return seen[name]
}

/** Calls one after the other until a call does not end well; tells how it ended, and when. */
async function callOn(caller: MeshNode): Promise<{ readonly outcome: Outcome; readonly atMs: number }> {
  for (let n = 0; ; n++) {
    const outcome = await caller.tryCall(echo.back, { n }, { to: 'acme/callee', deadlineMs })
    if (outcome.kind !== 'ok') return { outcome, atMs: momentMs() }
  }
}

describe('an order, given in one process against a caller of another', () => {
  it('revoked mid-session: in force within a second, with 64 calls in flight, in each of 20 runs', async () => {
    const owner = await openFileIssuer({ dir: issuerDir, clock: createSystemClock(), random: createSystemRandom() })
    const callee = fork(join(import.meta.dirname, 'revocable-callee.ts'), [server.url, issuerDir])
    const bystander = await createNode({
      name: 'acme/bystander',
      issuer: await openSilentIssuer(issuerDir),
      nats: server.url,
    })
    const callers: MeshNode[] = []
    const [deliveries, ends]: [number[], number[]] = [[], []]
    try {
      expect(await once(callee, 'message')).toContain('ready')
      await bystander.start()
      const names = Array.from({ length: runs }, (_, run) => `acme/caller-${String(run)}` as const)
      callers.push(...(await Promise.all(names.map(openCaller))))
      for (const caller of callers) {
        const { name } = caller
        await caller.call(echo.back, { n: 0 }, { to: 'acme/callee' })
        const load = Array.from({ length: inFlight }, () => callOn(caller))
        await sleep(50)
        const order = await owner.order('revoke', name)
        const givenAtMs = momentMs()
        await bystander.acceptOrder(order)
        const ended = await Promise.all(load)
        const seen = await lookAt(callee, name)
        // Nothing is delivered once the order is held; what was on its way is told so, and waits for no deadline.
        expect(seen).toMatchObject({ deliveredAfter: 0, heldAtMs: expect.any(Number) as number })
        expect(new Set(ended.map(({ outcome }) => ('code' in outcome ? outcome.code : outcome.kind)))).toEqual(
          new Set(['identity.revoked']),
        )
        deliveries.push((seen?.deliveredAtMs ?? Infinity) - givenAtMs)
        ends.push(Math.max(...ended.map(({ atMs }) => atMs)) - givenAtMs)
      }
    } finally {
      const exited = once(callee, 'exit')
      callee.disconnect()
      await exited
      await Promise.all([bystander, ...callers].map((node) => node.close()))
    }
    const [latest, latestEnd] = [Math.max(...deliveries), Math.max(...ends)]
    process.stdout.write(
      `${String(runs)} runs, ${String(inFlight)} calls in flight: the latest delivery came ${latest.toFixed(1)} ms after the order was given, the last call ended ${latestEnd.toFixed(1)} ms after it\n`,
    )
    expect(latest).toBeLessThan(boundMs)
    expect(latestEnd).toBeLessThan(2 * boundMs)
  }, 60_000)
})
