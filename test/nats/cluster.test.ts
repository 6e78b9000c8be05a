import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalIssuer, createNatsAccount, signNatsAccount } from '@parley/identity'
import { createNode, defineContract, type MeshNode, type NodeOptions } from '@parley/mesh'
import type { RunningNatsServer } from '@parley/nats-server'
import { createSystemClock } from '@parley/ports'
import { connectNats, formatOperatorConfig } from '@parley/transport-nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { findPorts } from './find-ports.ts'
import { collect, mesh, random, reach, seeds, startServer } from './fence.ts'

describe('a cluster of three fenced servers', () => {
  let servers: readonly RunningNatsServer[]
  const clock = createSystemClock()
  const shop = defineContract('shop', {
    look: { input: z.object({}), output: z.object({ by: z.string() }), risk: 'read' },
  })
  beforeAll(async () => {
    const config = formatOperatorConfig(await signNatsAccount(mesh, seeds))
    const ports = await findPorts(3)
    const routes = ports.map((port) => `nats://127.0.0.1:${String(port)}`).join(', ')
    servers = await Promise.all(
      ports.map((port, at) =>
        startServer(
          `server_name: s${String(at)}\ncluster { name: test, listen: 127.0.0.1:${String(port)}, routes: [${routes}] }\n${config}`,
        ),
      ),
    )
  })
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()))
  })

  it('carries calls between its servers, and goes on when one dies', async () => {
    const facts = await signNatsAccount(mesh, seeds)
    const natsAccount = createNatsAccount(facts, seeds)
    const issuer = createLocalIssuer({ alias: 'acme', clock, random, natsAccount })
    const [first, second, third] = servers.map(({ url }) => url)
    // Each node prefers a server of its own and learns of the others from it.
    const at = (url = ''): Pick<NodeOptions, 'issuer' | 'nats'> => ({
      issuer,
      nats: { servers: url, reconnectWaitMs: 100 },
    })
    await using counter = await createNode({ name: 'acme/shop', serves: [shop], ...at(first) })
    counter.serve(shop, { look: () => ({ by: counter.name }) })
    await using desk = await createNode({ name: 'acme/desk', calls: [shop.look], ...at(second) })
    await using other = await createNode({ name: 'acme/other', calls: [shop.look], ...at(third) })
    await Promise.all([counter.start(), desk.start(), other.start()])
    const askUntilOk = async (node: MeshNode): Promise<string> => {
      for (;;) {
        const outcome = await node.tryCall(shop.look, {}, { deadlineMs: 500 })
        if (outcome.kind === 'ok') return outcome.output.by
      }
    }
    expect(await Promise.all([desk, other].map(askUntilOk))).toEqual(['acme/shop', 'acme/shop'])
    // The servers of the callee and then of one caller.
    await servers[0]?.kill()
    expect(await Promise.all([desk, other].map(askUntilOk))).toEqual(['acme/shop', 'acme/shop'])
    expect(counter.health()).toMatchObject({ ready: true })
  })
})

const openssl = ((): boolean => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
})()

describe.skipIf(!openssl)('a server with TLS (needs openssl to make its certificates)', () => {
  const dir = mkdtempSync(join(tmpdir(), 'parley-tls-'))
  const path = (name: string): string => join(dir, name)
  let server: RunningNatsServer
  beforeAll(async () => {
    const make = (name: string, subject: string, ...more: string[]): void => {
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
      const files = ['-keyout', path(`${name}.key`), '-out', path(`${name}.pem`)]
      execFileSync('openssl', ['req', '-x509', ...key, ...files, '-subj', `/CN=${subject}`, ...more], { stdio: 'pipe' })
    }
    make('ca', 'ca')
    make('other-ca', 'other')
    const byCa = ['-CA', path('ca.pem'), '-CAkey', path('ca.key')]
    make('server', 'server', ...byCa, '-addext', 'subjectAltName=IP:127.0.0.1')
    make('localhost', 'localhost', ...byCa, '-addext', 'subjectAltName=DNS:localhost')
    server = await startServer(configOf('server'))
  })
  afterAll(async () => {
    await server.stop()
    rmSync(dir, { recursive: true })
  })
  const configOf = (name: string): string =>
    `tls { cert_file: ${JSON.stringify(path(`${name}.pem`))}, key_file: ${JSON.stringify(path(`${name}.key`))} }`
  const read = (name: string): string => readFileSync(path(name), 'utf8')

  it('carries what a client sends that trusts its certificate authority', async () => {
    const transport = await connectNats({ servers: server.url, tls: { ca: read('ca.pem') }, reconnectWaitMs: 20 })
    const seen = await collect(transport, 't')
    transport.publish('t', Uint8Array.of(1))
    await transport.flush()
    expect(seen).toEqual([{ subject: 't', data: Uint8Array.of(1) }])
    await server.restart()
    await reach(transport, 'connected')
    await transport.close()
  })

  it('is refused where its certificate is of localhost, but the client named an address', async () => {
    await using own = await startServer(configOf('localhost'))
    const tls = { ca: read('ca.pem') }
    await expect(connectNats({ servers: own.url, tls })).rejects.toMatchObject({ code: 'transport.connect-failed' })
    const transport = await connectNats({ servers: own.url.replace('127.0.0.1', 'localhost'), tls })
    await transport.close()
  })

  it('is refused by a client that trusts another authority, or only those of the system', async () => {
    for (const tls of [{ ca: read('other-ca.pem') }, {}])
      await expect(connectNats({ servers: server.url, tls })).rejects.toMatchObject({
        code: 'transport.connect-failed',
      })
  })
})
