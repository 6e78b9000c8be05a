import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exitCodes } from '@parley/cli'
import { initFileIssuer, openFileIssuer, openInstanceKeys, openNatsAccount } from '@parley/identity'
import { createNode, defineContract } from '@parley/mesh'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runCaptured } from '../integration/captured-cli.ts'
import { startServer } from './fence.ts'

const ports = { clock: createSystemClock(), random: createSystemRandom() }
const shop = defineContract('shop', {
  look: { input: z.object({}), output: z.object({ by: z.string() }), risk: 'read' },
})
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-config-'))
  await initFileIssuer({ dir: join(folder, 'owner'), alias: 'acme', ...ports })
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

async function print(...args: string[]): Promise<string> {
  const { code, out, err } = await runCaptured(['nats-config', ...args])
  expect(err).toBe('')
  expect(code).toBe(exitCodes.ok)
  return out
}

describe('parley nats-config', () => {
  it('operator: prints what a server runs with, the same at every run, and its keys mint users', async () => {
    const keys = join(folder, 'broker')
    const config = await print('operator', keys)
    expect(await print('operator', keys)).toBe(config)
    expect((await stat(join(keys, 'nats-signing.key'))).mode & 0o777).toBe(0o600)
    expect(config).not.toMatch(/\bS[OAU][A-Z2-7]{56}\b/)
    await using server = await startServer(config)
    const natsAccount = await openNatsAccount({ dir: keys })
    const issuer = await openFileIssuer({ dir: join(folder, 'owner'), natsAccount, ...ports })
    await using node = await createNode({ name: 'acme/desk', issuer, calls: [shop.look], nats: server.url })
    await node.start()
    expect(node.health().ready).toBe(true)
    expect((await runCaptured(['nats-config', 'operator', keys, '--mesh', 'other'])).code).toBe(exitCodes.usage)
  })

  it('static: prints users for keys that nodes then log in with, and keeps them', async () => {
    const keys = join(folder, 'agents')
    const anchor = join(folder, 'owner', 'anchor.json')
    const args = ['static', keys, '--agent', 'acme/shop', '--agent', 'acme/desk', '--anchor', anchor]
    const config = await print(...args)
    expect(await print(...args)).toBe(config)
    await using server = await startServer(config)
    const issuer = await openFileIssuer({ dir: join(folder, 'owner'), ...ports })
    const keysOf = (name: string): ReturnType<typeof openInstanceKeys> => openInstanceKeys({ dir: join(keys, name) })
    const options = { issuer, nats: server.url }
    await using counter = await createNode({
      name: 'acme/shop',
      serves: [shop],
      keys: await keysOf('acme-shop'),
      ...options,
    })
    counter.serve(shop, { look: () => ({ by: counter.name }) })
    await counter.start()
    await using desk = await createNode({
      name: 'acme/desk',
      calls: [shop.look],
      keys: await keysOf('acme-desk'),
      ...options,
    })
    await desk.start()
    expect(await desk.tryCall(shop.look, {})).toMatchObject({ kind: 'ok', output: { by: 'acme/shop' } })
    const stray = ['static', keys, '--agent', 'other/x', '--anchor', anchor]
    expect((await runCaptured(['nats-config', ...stray])).code).toBe(exitCodes.usage)
  })

  it('user: prints credentials that name their role, and refuses another account', async () => {
    const keys = join(folder, 'broker')
    await print('operator', keys)
    const creds = await print('user', keys, '--role', 'operator', '--life', '1h')
    expect(creds).toMatch(/BEGIN NATS USER JWT[^]*BEGIN USER NKEY SEED/)
    const [, token = ''] = /\n(eyJ[^\n]+)\n/.exec(creds) ?? []
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    expect(claims).toMatchObject({ name: 'operator', nats: { pub: { allow: ['>'] }, sub: { allow: ['>'] } } })
    await writeFile(join(keys, 'nats-account.json'), '{}')
    expect((await runCaptured(['nats-config', 'user', keys])).code).toBe(exitCodes.failure)
  })
})
