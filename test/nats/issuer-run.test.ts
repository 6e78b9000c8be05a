import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exitCodes } from '@parley/cli'
import { createNode, joinMesh, rejoinMesh, type MeshNode } from '@parley/mesh'
import { findNatsServer, startNatsServer, type RunningNatsServer } from '@parley/nats-server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCaptured } from '../integration/captured-cli.ts'
import { shop, soundServes } from '../integration/shop.ts'
import { startServer } from './fence.ts'

const main = join(import.meta.dirname, '../../packages/cli/src/main.ts')
let folder: string
let server: RunningNatsServer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-issuer-run-'))
  const cacheDir = join(import.meta.dirname, '../../.parley/cache')
  server = await startNatsServer({ binary: await findNatsServer({ env: process.env, cacheDir }) })
  const init = await runCaptured(['issuer', 'init', join(folder, 'acme'), '--alias', 'acme'])
  expect(init.code).toBe(exitCodes.ok)
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

/** Starts `parley issuer run` as a process and waits until it serves. */
async function startIssuer(
  at: RunningNatsServer = server,
  ...more: readonly string[]
): Promise<ChildProcess & { readonly lines: string[] }> {
  const args = ['issuer', 'run', join(folder, 'acme'), '--data', join(folder, 'issuer.sqlite'), '--json', ...more]
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, NATS_URL: at.url } })
  const lines: string[] = []
  const ready = Promise.withResolvers<void>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    lines.push(...text.split('\n').filter((line) => line !== ''))
    if (lines.some((line) => line.includes('"issuer.ready"'))) ready.resolve()
  })
  child.once('exit', (code) => {
    ready.reject(new Error(`the issuer ended with ${String(code)}`))
  })
  await ready.promise
  return Object.assign(child, { lines })
}

async function stopIssuer(child: ChildProcess): Promise<unknown> {
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const [code] = (await exited) as [number | null]
  return code
}

async function makeToken(name: string, at: RunningNatsServer = server, ...more: readonly string[]): Promise<string> {
  const { out } = await runCaptured(['issuer', 'token', join(folder, 'acme'), name, ...more], { NATS_URL: at.url })
  return out.trim()
}

describe('parley issuer run', () => {
  it('lets processes join that know nothing but a token, and none of them twice, over a restart', async () => {
    const open: MeshNode[] = []
    let issuer = await startIssuer()
    try {
      const counter = await createNode({
        name: 'acme/shop',
        issuer: joinMesh(await makeToken('acme/shop')),
        serves: [shop],
      })
      open.push(counter)
      counter.serve(shop, soundServes)
      await counter.start()
      const token = await makeToken('acme/desk')
      const desk = await createNode({ name: 'acme/desk', issuer: joinMesh(token), calls: [shop.buy] })
      open.push(desk)
      await desk.start()
      expect(await desk.tryCall(shop.buy, { item: 'lamp' })).toMatchObject({ kind: 'ok' })
      expect(issuer.lines.filter((line) => line.includes('"issuer.issued"'))).toHaveLength(2)
      expect(await stopIssuer(issuer)).toBe(exitCodes.ok)
      issuer = await startIssuer()
      const second = await createNode({ name: 'acme/desk', issuer: joinMesh(token), calls: [shop.buy] })
      open.push(second)
      await expect(second.start()).rejects.toMatchObject({ code: 'identity.join-token-used' })
      expect(await desk.tryCall(shop.buy, { item: 'lamp' })).toMatchObject({ kind: 'ok' })
    } finally {
      await Promise.all(open.map((node) => node.close()))
      await stopIssuer(issuer)
    }
  })

  it('tells within a second of an order that is signed while it runs', async () => {
    const issuer = await startIssuer()
    const told: { readonly kind: string; readonly subject?: unknown }[] = []
    const node = await createNode({
      name: 'acme/desk',
      issuer: joinMesh(await makeToken('acme/desk')),
      onRecord: ({ kind, ...record }) => told.push({ kind, subject: record['subject'] }),
    })
    try {
      await node.start()
      expect((await runCaptured(['revoke', 'acme/lost', '--issuer', join(folder, 'acme')])).code).toBe(exitCodes.ok)
      const signedAtMs = performance.now()
      while (!told.some(({ kind, subject }) => kind === 'order' && subject === 'acme/lost')) {
        expect(performance.now() - signedAtMs).toBeLessThan(1_000)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    } finally {
      await node.close()
      await stopIssuer(issuer)
    }
  })

  it('lets processes in behind a fence by a token alone, and again after they and it have restarted', async () => {
    const broker = join(folder, 'broker')
    const { out: config } = await runCaptured(['nats-config', 'operator', broker])
    const fence = await startServer(config)
    const account = ['--nats-account', broker] as const
    const open: MeshNode[] = []
    let issuer = await startIssuer(fence, ...account)
    try {
      const counter = await createNode({
        name: 'acme/shop',
        issuer: joinMesh(await makeToken('acme/shop', fence, ...account)),
        serves: [shop],
      })
      open.push(counter)
      counter.serve(shop, soundServes)
      await counter.start()
      const token = await makeToken('acme/desk', fence, ...account)
      for (let start = 0; start < 2; start++) {
        const desk = await createNode({
          name: 'acme/desk',
          issuer: await rejoinMesh({ dir: join(folder, 'desk'), token }),
          calls: [shop.buy],
        })
        open.push(desk)
        await desk.start()
        expect(await desk.tryCall(shop.buy, { item: 'lamp' })).toMatchObject({ kind: 'ok' })
        await desk.close()
        expect(await stopIssuer(issuer)).toBe(exitCodes.ok)
        issuer = await startIssuer(fence, ...account)
      }
    } finally {
      await Promise.all(open.map((node) => node.close()))
      await stopIssuer(issuer)
      await fence.stop()
    }
  })
})
