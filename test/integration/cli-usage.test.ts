import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exitCodes } from '@parley/cli'
import { openSqliteStore } from '@parley/store-sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCaptured } from './captured-cli.ts'

describe('a command line that is not understood', () => {
  it.each([
    ['bogus', "unknown command 'bogus'", 'parley'],
    ['trust shw', "unknown command 'shw' (Did you mean show?)", 'parley trust'],
    ['why x --data x --dta y', "unknown option '--dta' (Did you mean --data?)", 'parley why'],
    ['why -x --data x', 'an argument that begins with - goes after all options and --', 'parley why'],
    ['revoke a/b/c --issuer i', '"a/b/c" is not a name (owner/agent), the DID', 'parley revoke'],
    ['revoke nobody --kill --issuer i', '"nobody" is not a name (owner/agent) or', 'parley revoke'],
    ['quarantine x --issuer i --for 1m', '"x" is not a name (owner/agent) or', 'parley quarantine'],
    ['why --data x', "missing required argument 'hop'", 'parley why'],
    ['trust show', "required option '--data <file>' not specified", 'parley trust show'],
    ['trust', 'parley trust needs a command', 'parley trust'],
    ['demo --seed x', 'It must be a whole number.', 'parley demo'],
    ['pin a/b abc --issuer i --reason r', "'abc' is invalid for argument 'score'", 'parley pin'],
    ['pin a/b 300 --issuer i --reason r', 'give --for a duration, or --end', 'parley pin'],
    ['pin a/b 3000 --issuer i --reason r', 'It must be a whole number, 0 to 1000.', 'parley pin'],
    ['trust pin a/b abc --data d --reason r --for 1h', '0 to 1000', 'parley trust pin'],
    ['trust attest a/b --data d --issuer i --as a/c --for 1h --score 1001', '0 to 1000', 'parley trust attest'],
    ['approve list --agent a/b', 'give --credential, --key, --anchor as well', 'parley approve list'],
    ['approve list --agent a/b --credential c --key k', 'give --anchor as well', 'parley approve list'],
    ['approve list --agent a/b --data d', 'give --agent, a running agent, or --data', 'parley approve list'],
    ['approve list --agent ab', 'It must be of the form owner/agent.', 'parley approve list'],
    ['dead-letters list --agent a/b --credential c --key k', 'give --anchor as well', 'parley dead-letters list'],
    ['dead-letters list', 'give --agent, a running agent, or --data', 'parley dead-letters list'],
    ['dead-letters replay x --data d', 'is replayed by its node alone', 'parley dead-letters replay'],
    ['saga skip x y --reason r --credential c --key k', 'give --agent or --data; or --of', 'parley saga skip'],
    ['call a:b {} --as a/b --contract none.js --deadline 5', 'It must be a duration', 'parley call'],
    ['doctor --monitor nonsense', '--monitor nonsense is no URL', 'parley doctor'],
    ['trust show --data a --data b', "'--data <file>' is given twice", 'parley trust show'],
    [
      'saga resolve x y done --of a/b --reason r --credential c --key k',
      'It must be committed, not-done or undone.',
      'parley saga resolve',
    ],
  ])('is told in two lines, and as JSON where asked: %s', async (line, what, command) => {
    const todo = `Correct it; ${command} --help shows what it takes.`
    const plain = await runCaptured(line.split(' '))
    expect(plain).toMatchObject({ code: exitCodes.usage, out: '' })
    const [said, ...rest] = plain.err.split('\n').slice(-3)
    expect(said).toMatch(/^cli\.usage: /)
    expect(said).toContain(what)
    expect(rest).toEqual([`what to do: ${todo}`, ''])
    const json = await runCaptured([...line.split(' '), '--json'])
    expect(json.code).toBe(exitCodes.usage)
    expect(JSON.parse(json.out)).toMatchObject({ error: { code: 'cli.usage', todo } })
  })

  it.each([
    'why --data no-such-file -- -x',
    'saga show --data no-such-file -- -x',
    'trust explain --data no-such-file -- -x',
    'verify -- -x',
    'revoke --issuer no-such-file -- -x',
    `approve grant --digest ${'d'.repeat(43)} --credential no-such-file --key k -- -${'x'.repeat(21)}`,
    'policy lint -- -x',
  ])('takes an argument that begins as an option after --: %s', async (line) => {
    const { code, err } = await runCaptured(line.split(' '))
    expect(code).toBe(exitCodes.usage)
    expect(err).toMatch(/cannot be read|does not exist/)
    expect(err).not.toContain('unknown option')
  })

  it.each([
    ['issuer init DIR --alias A.B', 'identity.anchor-invalid'],
    ['issuer run DIR/none --data x --nats nats://127.0.0.1:1', 'identity.issuer-unavailable'],
    ['keys show DIR/none', 'identity.key-file-invalid'],
    ['revoke acme/ann --issuer DIR/none', 'identity.issuer-unavailable'],
    ['delegate a:b --issuer DIR/none --to a/b --for 1h', 'identity.issuer-unavailable'],
  ])('ends with 2 as well where it names what cannot be: %s', async (line, said) => {
    const words = line.replace('DIR', join(tmpdir(), 'parley-none', 'none')).split(' ')
    expect(await runCaptured(words)).toMatchObject({
      code: exitCodes.usage,
      err: expect.stringMatching(new RegExp(`^${said}: .+\nwhat to do: .+`)) as string,
    })
  })

  it('is no help that somebody asked for', async () => {
    for (const line of [['help', 'trust'], ['trust', '--help'], ['help']])
      expect(await runCaptured(line)).toMatchObject({
        code: exitCodes.ok,
        err: '',
        out: expect.stringContaining('Usage: parley') as string,
      })
  })
})

describe('--data and --out', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-cli-usage-'))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it.each(['approve list', 'dead-letters list', 'saga list', 'saga versions', 'saga show x', 'trust show'])(
    'makes no store for %s, and takes nothing else for one',
    async (command) => {
      const run = (name: string) => runCaptured([...command.split(' '), '--data', join(folder, name)])
      await writeFile(join(folder, 'note'), 'no store')
      expect(await run('absent')).toMatchObject({
        code: exitCodes.usage,
        out: '',
        err: expect.stringContaining('it does not exist') as string,
      })
      expect(await run('note')).toMatchObject({
        code: exitCodes.usage,
        err: expect.stringContaining('is not the store of a node') as string,
      })
      expect(await readdir(folder)).toEqual(['note'])
    },
  )

  it.each([
    ['approve list', 'no requests'],
    ['dead-letters list', 'no dead letters'],
    ['saga list', 'no sagas'],
    ['saga list --open --of a/b', 'no open sagas of a/b'],
    ['saga versions', 'no open sagas'],
    ['trust show', 'no peers'],
  ])('says so where a store holds nothing: %s', async (command, said) => {
    const path = join(folder, 'empty.sqlite')
    await (await openSqliteStore({ path })).close()
    expect(await runCaptured([...command.split(' '), '--data', path])).toMatchObject({
      code: exitCodes.ok,
      out: `${said} in ${path}\n`,
    })
  })

  it.each([
    ['approve list', true],
    ['dead-letters list', true],
    ['saga skip x y --reason r --credential c --key k --anchor ANCHOR', true],
    ['saga list', false],
    ['trust show', false],
  ] as const)('says of a store in use whether its agent can be asked: %s', async (command, canAsk) => {
    const path = join(folder, 'open.sqlite')
    await runCaptured(['issuer', 'init', join(folder, 'acme'), '--alias', 'acme'])
    const words = command.replace('ANCHOR', join(folder, 'acme/anchor.json')).split(' ')
    const store = await openSqliteStore({ path })
    const { code, err } = await runCaptured([...words, '--data', path])
    await store.close()
    expect(code).toBe(exitCodes.failure)
    expect(err).toMatch(/^store\.locked: .*\nwhat to do: Stop that process, or use another file\./)
    expect(err.endsWith(' Or ask it with --agent.\n')).toBe(canAsk)
  })

  it('writes to standard output for -, and leaves no file behind of what it could not read', async () => {
    const path = join(folder, 'empty.sqlite')
    await (await openSqliteStore({ path })).close()
    const before = await readdir(folder)
    const plain = await runCaptured(['audit', 'export', '--data', path])
    expect(await runCaptured(['audit', 'export', '--data', path, '--out', '-'])).toEqual(plain)
    const out = join(folder, 'out.jsonl')
    expect(await runCaptured(['audit', 'export', '--data', join(folder, 'absent'), '--out', out])).toMatchObject({
      code: exitCodes.usage,
    })
    expect(await readdir(folder)).toEqual(before)
  })
})
