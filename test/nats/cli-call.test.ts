import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exitCodes } from '@parley/cli'
import { openFileIssuer } from '@parley/identity'
import { createNode, type MeshNode } from '@parley/mesh'
import { findNatsServer, startNatsServer, type RunningNatsServer } from '@parley/nats-server'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCaptured } from '../integration/captured-cli.ts'
import { shop, soundServes } from '../integration/shop.ts'

const contract = join(import.meta.dirname, '../integration/shop.ts')

let folder: string
let server: RunningNatsServer
let counter: MeshNode
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-call-'))
  const cacheDir = join(import.meta.dirname, '../../.parley/cache')
  server = await startNatsServer({ binary: await findNatsServer({ env: process.env, cacheDir }) })
  const dir = join(folder, 'acme')
  expect((await runCaptured(['issuer', 'init', dir, '--alias', 'acme'])).code).toBe(exitCodes.ok)
  const issuer = await openFileIssuer({ dir, clock: createSystemClock(), random: createSystemRandom() })
  counter = await createNode({
    name: 'acme/shop',
    issuer,
    serves: [shop],
    nats: server.url,
    data: join(folder, 'shop.sqlite'),
  })
  counter.serve(shop, {
    ...soundServes,
    buy: ({ item }, hop) => (item === 'none' ? hop.decline('sold-out', { left: 0 }) : { receipt: item }),
  })
  await counter.start()
})
afterAll(async () => {
  await counter.close()
  await server.stop()
  await rm(folder, { recursive: true })
})

const call = (capability: string, input: string, ...more: readonly string[]) =>
  runCaptured(
    ['call', capability, input, '--as', 'acme/desk', '--issuer', join(folder, 'acme'), '--contract', contract, ...more],
    { NATS_URL: server.url },
  )

describe('parley call', () => {
  it('makes a real call and says what decided', async () => {
    const called = await call('shop:buy', '{"item":"lamp"}', '--to', 'acme/shop')
    expect(called.err).toBe('')
    expect(called.out).toMatch(
      /^ok \{"receipt":"lamp"\}\nallowed by parley:credentials-only; signed; recorded twice\nhop [\w-]{22}\n$/,
    )
    expect(called.code).toBe(exitCodes.ok)
  })

  it('lets a person act with a key and a credential of its own, and nobody with one of the two', async () => {
    const key = join(folder, 'ann.key')
    const made = await runCaptured(['keys', 'init', key, '--json'])
    const { did } = JSON.parse(made.out) as { readonly did: string }
    const issue = ['credential', 'issue', 'acme/ann', '--issuer', join(folder, 'acme'), '--instance', did, '--json']
    const given = await runCaptured([...issue, '--calls', 'shop:*', '--human', '2'])
    const file = join(folder, 'ann.json')
    await writeFile(file, given.out)
    const act = (capability: string, ...more: readonly string[]) =>
      runCaptured(['call', capability, '{"item":"lamp"}', '--as', 'acme/ann', '--contract', contract, ...more], {
        NATS_URL: server.url,
      })
    const own = ['--credential', file, '--key', key, '--anchor', join(folder, 'acme/anchor.json')] as const
    const bought = await act('shop:buy', ...own, '--json')
    expect({ code: bought.code, ...(JSON.parse(bought.out) as object) }).toMatchObject({ code: 0, kind: 'ok' })
    // What is administrative needs a person, and no score is enough.
    expect(await act('shop:wipe', ...own)).toMatchObject({ code: exitCodes.ok })
    const other = join(folder, 'other.key')
    await runCaptured(['keys', 'init', other])
    const stolen = await act('shop:buy', '--credential', file, '--key', other, ...own.slice(4))
    expect(stolen.err).toContain('identity.credential-mismatch')
    expect(await act('shop:buy', '--credential', file)).toMatchObject({ code: exitCodes.usage })
    expect(await act('shop:buy', ...own, '--issuer', join(folder, 'acme'))).toMatchObject({ code: exitCodes.usage })
  })

  it('ends with 1 for a decided no', async () => {
    expect(await call('shop:buy', '{"item":"none"}')).toMatchObject({
      code: exitCodes.no,
      out: expect.stringContaining('sold-out'),
    })
    const told = await call('shop:wipe', '{}')
    expect(told.out).toMatch(/^refused .*trust\.below-threshold.*\nrefused by policy: .*\nwhat to do: .+\nhop /)
    const refused = await call('shop:wipe', '{}', '--json')
    expect(refused.code).toBe(exitCodes.no)
    expect(JSON.parse(refused.out)).toMatchObject({
      kind: 'refused',
      code: 'trust.below-threshold',
      hop: { sent: false },
    })
    expect(await call('shop:buy', '{"item":5}')).toMatchObject({ code: exitCodes.no })
  })

  it('names the request that people can answer', async () => {
    const dir = join(folder, 'acme')
    const rule = '{ name: ask, when: action == "shop:buy", effect: require_approval, approvers: [acme/ann] }'
    await using asking = await createNode({
      name: 'acme/careful',
      issuer: await openFileIssuer({ dir, clock: createSystemClock(), random: createSystemRandom() }),
      serves: [shop],
      policy: [{ file: 'a.yaml', text: `apiVersion: parley/v1\nname: asks\ndefault: allow\nrules:\n  - ${rule}\n` }],
      nats: server.url,
    })
    asking.serve(shop, soundServes)
    await asking.start()
    const told = await call('shop:buy', '{"item":"lamp"}', '--to', 'acme/careful')
    expect(told).toMatchObject({ code: exitCodes.no })
    const [, id, digest] = /\nrequest ([\w-]{22})\ndigest ([\w-]{43})\nhop /.exec(told.out) ?? []
    expect(await asking.approvals.list()).toMatchObject([{ id, digest }])
  })

  it('ends with 2 for what it cannot use', async () => {
    for (const [capability, input, ...more] of [
      ['shop:buy', 'no json'],
      ['shop:steal', '{}'],
      ['shop:buy', '{}', '--to', 'nobody'],
      ['shop:buy', '{}', '--as', 'nobody'],
      ['shop:buy', '{}', '--deadline', 'soon'],
      ['shop:buy', '{}', '--contract', join(import.meta.dirname, 'absent.ts')],
      ['shop:buy', '{}', '--anchor', contract],
      ['shop:buy', '{}', '--issuer', join(import.meta.dirname, 'absent')],
    ] as const)
      expect((await call(capability, input, ...more)).code).toBe(exitCodes.usage)
  })

  it('ends with 3 when something broke', async () => {
    const noBroker = await call('shop:buy', '{}', '--nats', 'nats://127.0.0.1:1')
    expect(noBroker).toMatchObject({
      code: exitCodes.failure,
      err: expect.stringContaining('transport.connect-failed'),
    })
  })

  it('leaves a log that why and audit verify read', async () => {
    const data = join(folder, 'desk.sqlite')
    const called = await call('shop:buy', '{"item":"lamp"}', '--data', data, '--json')
    const { hop } = JSON.parse(called.out) as { readonly hop: { readonly id: string } }
    expect((await runCaptured(['audit', 'verify', data, '--origin', 'parley/main/acme/desk'])).code).toBe(exitCodes.ok)
    expect((await runCaptured(['why', hop.id, '--data', data])).out).toContain('asked acme/shop for shop:buy')
  })

  it('shows the connected server in doctor', async () => {
    const doctor = await runCaptured(['doctor', '--json'], { NATS_URL: server.url, PATH: folder })
    const { findings } = JSON.parse(doctor.out) as { readonly findings: readonly { readonly check: string }[] }
    expect(findings.find(({ check }) => check === 'broker')).toMatchObject({
      level: expect.stringMatching(/ok|warn/),
      text: expect.stringContaining(`nats-server ${server.version}`),
    })
    expect(await readFile(join(folder, 'acme/anchor.json'), 'utf8')).toContain('acme')
  })
})
