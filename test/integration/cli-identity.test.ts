import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exitCodes } from '@parley/cli'
import {
  createAnchors,
  createKeySigner,
  createOrderBook,
  openFileIssuer,
  parseAnchor,
  parseJoinToken,
  readKeyFile,
  readOrders,
  signOrder,
  verifyDelegationChain,
} from '@parley/identity'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCaptured } from './captured-cli.ts'

let folder: string
let acme: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-keys-'))
  acme = join(folder, 'acme')
  await runCaptured(['issuer', 'init', acme, '--alias', 'acme'])
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const json = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
  const { code, out, err } = await runCaptured([...args, '--json'])
  expect({ code, err }).toEqual({ code: exitCodes.ok, err: '' })
  return JSON.parse(out) as Record<string, unknown>
}
const readAnchors = async (): ReturnType<typeof createAnchorsOf> => createAnchorsOf(join(acme, 'anchor.json'))
const createAnchorsOf = async (path: string) => createAnchors([parseAnchor(JSON.parse(await readFile(path, 'utf8')))])
const newKey = async (name: string): Promise<string> => String((await json('keys', 'init', join(folder, name)))['did'])

describe('parley keys', () => {
  it('makes a key once, shows whose it is, and never shows the key', async () => {
    const path = join(folder, 'ann.key')
    const made = await json('keys', 'init', path)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const { seed } = JSON.parse(await readFile(path, 'utf8')) as { readonly seed: string }
    const shown = await runCaptured(['keys', 'show', path])
    expect(shown.out).toContain(String(made['did']))
    expect(shown.out + JSON.stringify(made)).not.toContain(seed)
    const again = await runCaptured(['keys', 'init', path])
    expect(again).toMatchObject({ code: exitCodes.usage })
    expect(again.err).toContain('identity.key-file-exists')
  })

  it('needs the passphrase that the key was made with', async () => {
    const path = join(folder, 'ann.key')
    const secret = { PARLEY_PASSPHRASE: 'correct horse' }
    await runCaptured(['keys', 'init', path], secret)
    expect((await runCaptured(['keys', 'show', path])).err).toContain('identity.key-file-invalid')
    expect((await runCaptured(['keys', 'show', path], secret)).code).toBe(exitCodes.ok)
  })
})

describe('parley credential', () => {
  it('gives a person a credential that says how strongly they signed in', async () => {
    const did = await newKey('ann.key')
    const flags = ['--issuer', acme, '--instance', did, '--calls', 'flights:*', '--human', '2', '--life', '30m']
    const file = join(folder, 'ann.json')
    await writeFile(file, JSON.stringify(await json('credential', 'issue', 'acme/ann', ...flags)))
    const shown = await json('credential', 'show', file, '--anchor', join(acme, 'anchor.json'))
    expect(shown).toMatchObject({
      valid: true,
      credential: { name: 'acme/ann', agentKind: 'human', signIn: { assurance: 2 }, calls: ['flights:*'] },
    })
    const text = await runCaptured(['credential', 'show', file, '--anchor', join(acme, 'anchor.json')])
    expect(text.out).toContain('human, signed in with level 2')
  })

  it('ends with 1 for a credential that does not hold', async () => {
    const did = await newKey('ann.key')
    const issued = await json('credential', 'issue', 'acme/desk', '--issuer', acme, '--instance', did)
    const file = join(folder, 'desk.json')
    await writeFile(file, JSON.stringify({ ...issued, credential: `${String(issued['credential']).slice(0, -4)}AAAA` }))
    const forged = await runCaptured(['credential', 'show', file, '--anchor', join(acme, 'anchor.json')])
    expect(forged).toMatchObject({ code: exitCodes.no })
    expect(forged.out).toContain('identity.signature-invalid')
    await writeFile(file, JSON.stringify(issued))
    await runCaptured(['issuer', 'init', join(folder, 'rival'), '--alias', 'rival'])
    const foreign = await runCaptured([
      'credential',
      'show',
      file,
      '--anchor',
      join(folder, 'rival/anchor.json'),
      '--json',
    ])
    expect(JSON.parse(foreign.out)).toMatchObject({ valid: false, code: 'identity.owner-unknown' })
  })

  it('says what it cannot read or give', async () => {
    const did = await newKey('ann.key')
    const issue = (...more: readonly string[]) => runCaptured(['credential', 'issue', ...more, '--issuer', acme])
    expect(await issue('acme/ann', '--instance', did, '--human', '4')).toMatchObject({ code: exitCodes.usage })
    expect(await issue('acme/ann', '--instance', did, '--life', 'soon')).toMatchObject({ code: exitCodes.usage })
    const longest = await issue('acme/ann', '--instance', did, '--life', '1000d')
    expect(longest).toMatchObject({ code: exitCodes.usage, out: '' })
    expect(longest.err).toMatch(/--life 1000d is more than the statement of .* allows: \d+[mhd] at most/)
    expect((await issue('rival/ann', '--instance', did)).err).toContain('identity.issuer-refused')
    expect((await issue('acme/ann', '--instance', 'did:key:x')).err).toContain('identity.issuer-refused')
    const file = join(folder, 'x.json')
    await writeFile(file, '{}')
    const shown = await runCaptured(['credential', 'show', file, '--anchor', join(acme, 'anchor.json')])
    expect(shown).toMatchObject({ code: exitCodes.usage, out: '' })
  })
})

describe('parley delegate', () => {
  it('prints a chain that verifies', async () => {
    const made = await json('delegate', 'flights:reserve', '--issuer', acme, '--to', 'acme/trips', '--for', '1h')
    const anchors = await readAnchors()
    const owner = anchors.list[0]?.owner ?? 'did:key:none'
    const expected = { anchors, nowMs: createSystemClock().now(), delegate: { owner, name: 'acme/trips' } as const }
    expect(verifyDelegationChain(made['chain'] as string[], expected)).toMatchObject({
      kind: 'allow',
      chain: { capabilities: ['flights:reserve'] },
    })
  })

  it('refuses patterns, wrong names and times', async () => {
    const run = (...args: readonly string[]) => runCaptured(['delegate', ...args, '--issuer', acme])
    expect((await run('flights:*', '--to', 'acme/trips', '--for', '1h')).err).toContain('delegation.invalid')
    expect(await run('flights:reserve', '--to', 'trips', '--for', '1h')).toMatchObject({ code: exitCodes.usage })
    expect(await run('flights:reserve', '--to', 'acme/trips', '--for', '0s')).toMatchObject({ code: exitCodes.usage })
    expect(
      await run('flights:reserve', '--to', 'acme/trips', '--for', '1h', '--to-owner', 'did:web:127.0.0.1'),
    ).toMatchObject({ code: exitCodes.usage })
  })
})

describe('parley revoke', () => {
  it('signs orders one after the other that a node takes in', async () => {
    const did = await newKey('ann.key')
    const first = await json('revoke', did, '--issuer', acme)
    const second = await json('revoke', 'acme/ann', '--kill', '--issuer', acme)
    expect([first['sequence'], second['sequence'], second['kind']]).toEqual([1, 2, 'kill'])
    const book = createOrderBook({ anchors: await readAnchors() })
    for (const { order } of [first, second])
      expect(book.accept(String(order), createSystemClock().now()).kind).toBe('allow')
    expect(await readdir(join(acme, 'orders'))).toEqual(['00000001.jwt', '00000002.jwt'])
  })

  it('never gives a number twice, and goes on from no damaged order', async () => {
    const [did, other] = [await newKey('a.key'), await newKey('b.key')]
    const both = await Promise.all([did, other].map((one) => runCaptured(['revoke', one, '--issuer', acme])))
    const files = await readdir(join(acme, 'orders'))
    expect(both.filter(({ code }) => code === exitCodes.ok)).toHaveLength(files.length)
    const path = join(acme, 'orders/00000001.jwt')
    await writeFile(path, (await readFile(path, 'utf8')).replace(/.{6}\n$/, 'AAAAAA\n'))
    const after = await runCaptured(['revoke', did, '--issuer', acme])
    expect(after).toMatchObject({ code: exitCodes.failure })
    expect(after.err).toContain('identity.')
  })

  it('keeps no order about the name of another owner', async () => {
    const wrong = await runCaptured(['revoke', 'globex/ann', '--issuer', acme])
    expect(wrong).toMatchObject({ code: exitCodes.usage, out: '' })
    expect(wrong.err).toContain('identity.name-not-owned: acme does not command globex/ann')
    expect((await runCaptured(['revoke', 'acme/ann', '--issuer', acme])).code).toBe(exitCodes.ok)
    const doctor = (): ReturnType<typeof runCaptured> => runCaptured(['doctor', '--keys', acme])
    expect((await doctor()).out).toContain('orders: 1 kept')
    const [previous = ''] = await readOrders({ dir: acme, clock: createSystemClock(), random: createSystemRandom() })
    const owner = createKeySigner(await readKeyFile(join(acme, 'owner.key')))
    const terms = { sequence: 2, previous, kind: 'revoke', issuedAtMs: createSystemClock().now() } as const
    await writeFile(
      join(acme, 'orders/00000002.jwt'),
      `${await signOrder(owner, { ...terms, subject: 'globex/ann' })}\n`,
    )
    const { code, out } = await doctor()
    expect(code).toBe(exitCodes.no)
    expect(out).toContain('00000002.jwt: acme does not command globex/ann')
    expect(out).toContain('Move that file out of orders/')
  })

  it('kills a name or an instance, and refuses to kill what is neither', async () => {
    const did = await newKey('ann.key')
    expect((await runCaptured(['revoke', did, '--kill', '--issuer', acme])).code).toBe(exitCodes.ok)
    expect((await runCaptured(['revoke', 'nobody', '--kill', '--issuer', acme])).code).toBe(exitCodes.usage)
  })
})

describe('parley quarantine and pin', () => {
  it('sign orders that end, and end them before their time', async () => {
    const run = (...args: readonly string[]) => json(...args, '--issuer', acme)
    const orders = [
      await run('quarantine', 'acme/ann', '--for', '15m', '--reason', 'twenty faults in a row'),
      await run('pin', 'acme/ann', '300', '--for', '7d', '--reason', 'on probation'),
      await run('quarantine', 'acme/ann', '--end'),
    ]
    const ended = await run('pin', 'acme/ann', '--end', '--reason', 'did well')
    const book = createOrderBook({ anchors: await readAnchors() })
    const nowMs = createSystemClock().now()
    for (const { order } of orders) expect(book.accept(String(order), nowMs).kind).toBe('allow')
    expect(orders.map(({ kind }) => kind)).toEqual(['quarantine', 'pin', 'quarantine'])
    expect(book.pins(nowMs)).toMatchObject([{ agent: { name: 'acme/ann' }, score: 300, reason: 'on probation' }])
    // The end repeats the score: nothing else is in force where a clock is behind.
    expect(ended).toMatchObject({ kind: 'pin', score: 300 })
    expect(book.accept(String(ended['order']), nowMs + 1_000).kind).toBe('allow')
    expect(book.pins(nowMs + 1_000)).toEqual([])
    const again = await runCaptured(['pin', 'acme/ann', '--end', '--reason', 'twice', '--issuer', acme])
    expect(again).toMatchObject({ code: exitCodes.usage })
    expect(again.err).toContain('nothing to end')
  })

  it('say what they cannot sign', async () => {
    const run = (...args: readonly string[]) => runCaptured([...args, '--issuer', acme])
    expect(await run('quarantine', 'acme/ann')).toMatchObject({ code: exitCodes.usage })
    expect(await run('quarantine', 'acme/ann', '--for', '1h', '--end')).toMatchObject({ code: exitCodes.usage })
    const why = ['--for', '1h', '--reason', 'r'] as const
    expect(await run('pin', 'acme/ann', ...why)).toMatchObject({ code: exitCodes.usage })
    expect(await run('pin', 'acme/ann', 'high', ...why)).toMatchObject({ code: exitCodes.usage })
    expect(await run('pin', 'acme/ann', '1001', ...why)).toMatchObject({ code: exitCodes.usage })
    expect(await readdir(acme)).not.toContain('orders')
  })
})

describe('parley issuer', () => {
  it('makes join tokens that hold what a process needs', async () => {
    const where = ['--nats', 'nats://broker:4222', '--mesh', 'blue'] as const
    const made = await json('issuer', 'token', acme, 'acme/desk', ...where, '--calls', 'shop:*')
    expect(parseJoinToken(String(made['token']))).toMatchObject({
      mesh: 'blue',
      nats: 'nats://broker:4222',
      issuer: 'acme/issuer',
      anchors: [{ alias: 'acme' }],
    })
    const text = await runCaptured(['issuer', 'token', acme, 'acme/desk'])
    expect(text.out).toMatch(/^parley-join-1\.[\w-]+\n$/)
    expect(text.err).toContain('A secret')
    expect(text.err).toContain('names no broker')
    expect((await runCaptured(['issuer', 'token', acme, 'acme/desk', ...where])).err).not.toContain('broker')
    const other = await runCaptured(['issuer', 'token', acme, 'globex/desk', ...where])
    expect(other).toMatchObject({ code: exitCodes.usage, out: '' })
    expect(other.err).toContain('identity.name-not-owned: acme issues acme/*, not globex/desk')
    expect((await runCaptured(['issuer', 'token', acme, 'desk'])).err).toContain('identity.join-token-invalid')
  })

  it('makes an owner with a did:web, and the document to publish', async () => {
    const dir = join(folder, 'web')
    const made = await runCaptured(['issuer', 'init', dir, '--alias', 'acme', '--did', 'did:web:acme.example'])
    expect(made.out).toContain('did.json')
    expect(JSON.parse(await readFile(join(dir, 'did.json'), 'utf8'))).toMatchObject({ id: 'did:web:acme.example' })
    const issuer = await openFileIssuer({ dir, clock: createSystemClock(), random: createSystemRandom() })
    expect(issuer.owner).toBe('did:web:acme.example')
    const wrong = await runCaptured([
      'issuer',
      'init',
      join(folder, 'x'),
      '--alias',
      'acme',
      '--did',
      'did:web:10.0.0.1',
    ])
    expect(wrong).toMatchObject({ code: exitCodes.usage, out: '' })
  })

  it('needs a broker and a folder to run', async () => {
    const data = join(folder, 'issuer.sqlite')
    expect(await runCaptured(['issuer', 'run', acme, '--data', data])).toMatchObject({ code: exitCodes.usage })
    expect((await runCaptured(['issuer', 'run', acme])).code).toBe(exitCodes.usage)
    const nowhere = await runCaptured([
      'issuer',
      'run',
      join(folder, 'no'),
      '--data',
      data,
      '--nats',
      'nats://127.0.0.1:1',
    ])
    expect(nowhere).toMatchObject({ code: exitCodes.usage })
  })
})
