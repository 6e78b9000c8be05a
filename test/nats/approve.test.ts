import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exitCodes } from '@parley/cli'
import { openFileIssuer, parseAnchor } from '@parley/identity'
import { approvalContract, createNode, serveApprovals, type ApprovalView, type MeshNode } from '@parley/mesh'
import { findNatsServer, startNatsServer, type RunningNatsServer } from '@parley/nats-server'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCaptured, type CliRun } from '../integration/captured-cli.ts'
import { shop, soundServes } from '../integration/shop.ts'

const contract = join(import.meta.dirname, '../integration/shop.ts')
const rule =
  "{ name: ask, when: action == 'shop:buy', effect: require_approval, approvers: [staff/ann, staff/bob, acme/desk], requires: 2 }"
const text = `apiVersion: parley/v1\nname: asks\ndefault: allow\nrules:\n  - ${rule}\n`

let folder: string
let server: RunningNatsServer
let node: MeshNode | undefined
const bought: string[] = []
const at = (...names: readonly string[]): string => join(folder, ...names)
const run = (...args: readonly string[]): Promise<CliRun> => runCaptured(args, { NATS_URL: server.url })
const value = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
  const { code, out, err } = await run(...args, '--json')
  expect({ code, err }).toEqual({ code: exitCodes.ok, err: '' })
  return JSON.parse(out) as Record<string, unknown>
}

/** Starts the agent that asks, over the same store each time. */
async function start(): Promise<void> {
  const ports = { clock: createSystemClock(), random: createSystemRandom() }
  const staff = await openFileIssuer({ dir: at('staff'), ...ports })
  node = await createNode({
    name: 'acme/shop',
    issuer: await openFileIssuer({ dir: at('acme'), ...ports }),
    anchors: [(await openFileIssuer({ dir: at('acme'), ...ports })).anchor, parseAnchor(staff.anchor)],
    serves: [shop, approvalContract],
    policy: [{ file: 'asks.yaml', text }],
    nats: server.url,
    data: at('shop.sqlite'),
  })
  node.serve(shop, { ...soundServes, buy: ({ item }) => (bought.push(item), { receipt: item }) })
  node.serve(approvalContract, serveApprovals(node))
  await node.start()
}

async function stop(): Promise<void> {
  await node?.close()
  node = undefined
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-approve-'))
  const cacheDir = join(import.meta.dirname, '../../.parley/cache')
  server = await startNatsServer({ binary: await findNatsServer({ env: process.env, cacheDir }) })
  for (const alias of ['acme', 'staff']) await value('issuer', 'init', at(alias), '--alias', alias)
  for (const [name, ...calls] of [
    ['ann', 'approvals:*'],
    ['bob', 'approvals:*'],
    ['eve', 'approvals:*'],
    ['tom', 'shop:*'],
  ] as const) {
    const { did } = await value('keys', 'init', at(`${name}.key`))
    const asked = ['--issuer', at('staff'), '--instance', String(did), '--human', '2', '--calls', ...calls]
    await writeFile(at(`${name}.json`), JSON.stringify(await value('credential', 'issue', `staff/${name}`, ...asked)))
  }
  await start()
})
afterAll(async () => {
  await stop()
  await server.stop()
  await rm(folder, { recursive: true })
})

const by = (name: string): readonly string[] => ['--credential', at(`${name}.json`), '--key', at(`${name}.key`)]
const anchors = (): readonly string[] => ['--anchor', at('acme/anchor.json'), '--anchor', at('staff/anchor.json')]
const live = (name: string): readonly string[] => ['--agent', 'acme/shop', ...by(name), ...anchors()]
const buy = (item: string, ...more: readonly string[]): Promise<CliRun> => {
  const who = ['--as', 'acme/desk', '--to', 'acme/shop', '--issuer', at('acme'), '--contract', contract]
  return run('call', 'shop:buy', JSON.stringify({ item }), ...who, ...more)
}
async function ask(item: string): Promise<readonly [id: string, digest: readonly string[]]> {
  const told = await buy(item)
  const [, id = '', digest = ''] = /\nrequest ([\w-]{22})\ndigest ([\w-]{43})\nhop /.exec(told.out) ?? []
  expect({ code: told.code, id }).toEqual({ code: exitCodes.no, id: expect.stringMatching(/^\w/) as string })
  return [id, ['--digest', digest]]
}

describe('parley approve at a running agent', () => {
  it('lists what waits, brings the words of two people across a restart of the agent, and lets one call pass', async () => {
    const [id, digest] = await ask('lamp')
    const listed = await run('approve', 'list', '--open', ...live('ann'))
    expect(listed.out).toContain(`${id}  shop:buy for did:key:`)
    expect(listed.out).toContain('  arguments {"item":"lamp"}\n')
    const { requests } = await value('approve', 'list', ...live('ann'))
    expect(requests).toMatchObject([{ id, status: 'open', holds: true, answers: [] }])

    expect(await run('approve', 'grant', id, ...digest, ...live('ann'))).toMatchObject({
      code: exitCodes.ok,
      out: 'granted: heard by acme/shop\n',
    })
    expect(await run('approve', 'grant', id, ...digest, ...live('eve'))).toMatchObject({
      code: exitCodes.no,
      out: expect.stringMatching(/^refused policy\.approval-invalid: staff\/eve has no say/) as string,
    })
    // Who may not reach the approvals of the agent by its own credential does not.
    expect((await run('approve', 'list', ...live('tom'))).code).toBe(exitCodes.no)
    expect((await buy('lamp')).out).toContain('policy.approval-required')
    await stop()
    await start()
    expect(await run('approve', 'grant', id, ...digest, ...live('bob'))).toMatchObject({ code: exitCodes.ok })
    expect(await buy('lamp')).toMatchObject({ code: exitCodes.ok })
    expect(await run('approve', 'grant', id, ...digest, ...live('bob'))).toMatchObject({
      code: exitCodes.no,
      out: expect.stringMatching(/^refused policy\.approval-used/) as string,
    })
    expect((await buy('lamp')).out).toContain('policy.approval-required')
    expect(bought.splice(0)).toEqual(['lamp'])
  })

  it('denies, with the reason on the list', async () => {
    const [id, digest] = await ask('piano')
    const deny = (reason: string) => run('approve', 'deny', id, ...digest, '--reason', reason, ...live('ann'))
    expect((await deny('too \u001b[2Jloud')).code).toBe(exitCodes.usage)
    expect((await deny('too \u202eloud')).code).toBe(exitCodes.ok)
    expect((await buy('piano')).out).toContain('policy.approval-denied')
    const shown = await run('approve', 'list', ...live('bob'))
    expect(shown.out).toContain('denied by staff/ann: too \\u202eloud')
  })
})

describe('parley call --approval', () => {
  it('brings answers that were handed over, amended arguments too, and is refused with used ones', async () => {
    const [id, digest] = await ask('vase')
    await writeFile(at('ann.txt'), (await run('approve', 'amend', id, '{"item":"cup"}', ...digest, ...by('ann'))).out)
    const own = ['--approval', at('ann.txt')] as const
    const next = await buy('cup', ...own)
    expect(next.out).toContain('policy.approval-required')
    const [, becomes = '', asked = ''] = /\nrequest ([\w-]{22})\ndigest ([\w-]{43})\nhop /.exec(next.out) ?? []
    const other = await run('approve', 'grant', becomes, '--digest', asked, ...by('bob'), '--json')
    await writeFile(at('bob.json.txt'), other.out)
    const both = [...own, '--approval', at('bob.json.txt')]
    expect((await buy('vase', ...both)).out).toContain('policy.approval-denied')
    expect((await buy('jar', ...both)).out).toContain('policy.approval-required')
    expect(await buy('cup', ...both)).toMatchObject({ code: exitCodes.ok })
    expect((await buy('cup', ...both)).out).toContain('policy.approval-used')
    expect(bought.splice(0)).toEqual(['cup'])
    expect(await buy('cup', '--approval', contract)).toMatchObject({ code: exitCodes.usage })
  })
})

describe('parley approve in the store of a stopped node', () => {
  it('lists and answers, and the node takes the word when it runs again', async () => {
    const [id, digest] = await ask('bowl')
    await stop()
    const offline = ['--data', at('shop.sqlite'), ...anchors()] as const
    for (const name of ['ann', 'bob'])
      expect(await run('approve', 'grant', id, ...digest, ...by(name), ...offline)).toMatchObject({
        code: exitCodes.ok,
      })
    expect(await run('approve', 'grant', id, ...digest, ...by('eve'), ...offline)).toMatchObject({ code: exitCodes.no })
    expect(await run('approve', 'grant', id, ...digest, ...by('ann'), '--data', at('shop.sqlite'))).toMatchObject({
      code: exitCodes.usage,
    })
    const { requests } = await value('approve', 'list', '--data', at('shop.sqlite'))
    const found = (requests as readonly ApprovalView[]).find((request) => request.id === id)
    expect(found?.answers).toMatchObject([{ name: 'staff/ann' }, { name: 'staff/bob' }])
    await start()
    expect(await buy('bowl')).toMatchObject({ code: exitCodes.ok })
    expect(bought.splice(0)).toEqual(['bowl'])
  })
})
