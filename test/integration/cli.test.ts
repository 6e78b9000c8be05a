import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { exitCodes } from '@parley/cli'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCaptured } from './captured-cli.ts'
import { openShop, shop, unchecked, type ShopMesh } from './shop.ts'

const main = join(import.meta.dirname, '../../packages/cli/src/main.ts')
const run = promisify(execFile)

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-cli-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

interface Recorded {
  readonly open: ShopMesh
  readonly callerData: string
  readonly calleeData: string
  close(): Promise<void>
}

/** A shop whose counter and desk keep their logs in files. */
async function openRecorded(): Promise<Recorded> {
  const [callerData, calleeData] = [join(folder, 'desk.sqlite'), join(folder, 'shop.sqlite')]
  const open = await openShop({}, { counter: { data: calleeData }, desk: { data: callerData } })
  return {
    open,
    callerData,
    calleeData,
    close: async () => {
      await open[Symbol.asyncDispose]()
    },
  }
}

describe('parley', () => {
  it('explains itself with 0, and refuses what it does not know with 2', async () => {
    const help = await runCaptured(['--help'])
    expect(help.code).toBe(exitCodes.ok)
    for (const command of ['demo', 'doctor', 'call', 'why', 'audit', 'verify', 'policy', 'issuer', 'Exit codes'])
      expect(help.out).toContain(command)
    const version = await runCaptured(['--version'])
    expect(version).toMatchObject({ code: exitCodes.ok, out: '0.1.0\n' })
    for (const args of [
      [],
      ['bogus'],
      ['why'],
      ['call', 'a:b'],
      ['demo', '--seed', 'x'],
      ['audit', 'verify', '--wrong'],
    ]) {
      const wrong = await runCaptured(args)
      expect(wrong.code).toBe(exitCodes.usage)
      expect(wrong.err).not.toBe('')
      expect(wrong.out).toBe('')
    }
  })

  it('tells a failure in two lines, and as JSON where asked', async () => {
    const missing = join(folder, 'absent')
    const plain = await runCaptured(['audit', 'verify', missing])
    expect(plain).toEqual({
      code: exitCodes.usage,
      out: '',
      err: `cli.usage: ${missing} cannot be read: it does not exist\nwhat to do: Correct it; parley audit verify --help shows what it takes.\n`,
    })
    const json = await runCaptured(['audit', 'verify', missing, '--json'])
    expect(JSON.parse(json.out)).toMatchObject({
      error: { code: 'cli.usage', todo: 'Correct it; parley audit verify --help shows what it takes.' },
    })
  })

  it('colours on a terminal only, and not under NO_COLOR', async () => {
    const escape = '\u001b['
    const lint = async (isTerminal: boolean, env = {}): Promise<string> => {
      const file = join(folder, 'one.yaml')
      await writeFile(file, 'apiVersion: parley/v1\nname: one\ndefault: allow\nrules: []\n')
      return (await runCaptured(['policy', 'lint', file], env, isTerminal)).out
    }
    expect(await lint(true)).toContain(escape)
    expect(await lint(false)).not.toContain(escape)
    expect(await lint(true, { NO_COLOR: '1' })).not.toContain(escape)
  })

  it('runs as a program, ends with its exit code, and ends quietly when its reader does', async () => {
    const { stdout } = await run(process.execPath, [main, 'policy', 'show', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({
      documents: [{ file: 'parley:credentials-only' }, { file: 'parley:defaults' }],
    })
    const wrong = await run(process.execPath, [main, 'bogus']).catch((error: unknown) => error)
    expect(wrong).toMatchObject({ code: exitCodes.usage })
    const child = spawn(process.execPath, [main, 'policy', 'show'])
    let complaints = ''
    child.stderr.on('data', (chunk: Buffer) => {
      complaints += chunk.toString()
    })
    child.stdout.destroy()
    const [code] = (await once(child, 'close')) as [number | null]
    expect({ code, complaints }).toEqual({ code: 0, complaints: '' })
  })
})

describe('parley issuer init', () => {
  it("makes an owner's folder once, and never over another", async () => {
    const dir = join(folder, 'acme')
    const made = await runCaptured(['issuer', 'init', dir, '--alias', 'acme', '--json'])
    expect(JSON.parse(made.out)).toMatchObject({ anchor: { alias: 'acme', issues: ['acme/*'] } })
    expect((await readdir(dir)).sort()).toEqual(['anchor.json', 'issuer.key', 'owner.key', 'statement.jwt'])
    const again = await runCaptured(['issuer', 'init', dir, '--alias', 'acme'])
    expect(again.code).toBe(exitCodes.usage)
    expect(again.err).toContain('identity.key-file-exists')
  })

  it('encrypts the keys under a passphrase that never shows', async () => {
    const dir = join(folder, 'acme')
    const made = await runCaptured(['issuer', 'init', dir, '--alias', 'acme'], { PARLEY_PASSPHRASE: 'a long secret' })
    expect(made.out).toContain('encrypted')
    expect(made.out + (await readFile(join(dir, 'owner.key'), 'utf8'))).not.toContain('a long secret')
    const doctor = await runCaptured(['doctor', '--keys', dir], { PATH: folder })
    expect(doctor).toMatchObject({ code: exitCodes.no })
    const opened = await runCaptured(['doctor', '--keys', dir], { PATH: folder, PARLEY_PASSPHRASE: 'a long secret' })
    expect(opened.out).not.toContain('fail')
  })
})

describe('parley doctor', () => {
  const levels = async (args: readonly string[], env: Readonly<Record<string, string>>) => {
    const { code, out } = await runCaptured(['doctor', '--json', ...args], env)
    const { findings } = JSON.parse(out) as {
      readonly findings: readonly {
        readonly check: string
        readonly level: string
        readonly text: string
        todo?: string
      }[]
    }
    return { code, findings, of: (check: string) => findings.filter((finding) => finding.check === check) }
  }

  /** A program that says that it is a nats-server of a version. */
  const writeServer = async (version: string): Promise<string> => {
    const path = join(folder, 'nats-server')
    await writeFile(path, `#!/bin/sh\necho 'nats-server: v${version}'\n`)
    await chmod(path, 0o755)
    return path
  }

  it('says which nats-server runs here, and whether it syncs', async () => {
    const path = await writeServer('2.15.1')
    const { code, of } = await levels([], { NATS_SERVER: path, PATH: '/bin:/usr/bin' })
    expect(code).toBe(exitCodes.ok)
    expect(of('nats-server')).toMatchObject([
      { level: 'ok', text: expect.stringContaining('always supported, SHA-256') },
    ])
    await writeServer('2.9.10')
    const old = await levels([], { NATS_SERVER: path, PATH: '/bin:/usr/bin' })
    expect(old.of('nats-server')).toMatchObject([{ level: 'warn', text: expect.stringContaining('not supported') }])
  })

  it('fails for a NATS_SERVER that cannot be used', async () => {
    const { code, of } = await levels([], { NATS_SERVER: join(folder, 'absent') })
    expect(code).toBe(exitCodes.no)
    expect(of('nats-server')).toMatchObject([{ level: 'fail', todo: expect.any(String) }])
  })

  it('fails for a broker that does not answer', async () => {
    const { code, of } = await levels(['--nats', 'nats://127.0.0.1:1'], { PATH: folder })
    expect(code).toBe(exitCodes.no)
    expect(of('broker')).toMatchObject([{ level: 'fail', text: expect.stringContaining('transport.connect-failed') }])
  })

  it('fails for a key that others may read, naming the command that mends it', async () => {
    const dir = join(folder, 'acme')
    await runCaptured(['issuer', 'init', dir, '--alias', 'acme'])
    expect((await levels(['--keys', dir], { PATH: folder })).of('keys').map(({ level }) => level)).toEqual(['ok', 'ok'])
    await chmod(join(dir, 'issuer.key'), 0o644)
    const { code, of } = await levels(['--keys', dir], { PATH: folder })
    expect(code).toBe(exitCodes.no)
    expect(of('keys')[0]).toMatchObject({ level: 'fail', todo: expect.stringContaining('chmod 600') })
    expect((await levels(['--keys', join(folder, 'absent')], { PATH: folder })).of('keys')[0]?.level).toBe('fail')
  })

  it('fails for a store that is not there, without making it, and warns of one that is in use', async () => {
    const absent = join(folder, 'absent.sqlite')
    expect((await levels(['--data', absent], { PATH: folder })).of('store')[0]?.level).toBe('fail')
    expect(await readdir(folder)).toEqual([])
    const { callerData, close } = await openRecorded()
    const inUse = await levels(['--data', callerData], { PATH: folder })
    expect(inUse.of('store')).toMatchObject([{ level: 'warn', text: expect.stringMatching(/process \d+|pid \d+/) }])
    await close()
    const closed = await levels(['--data', callerData], { PATH: folder })
    expect(closed.of('store')).toMatchObject([{ level: 'ok', text: expect.stringContaining('each commit synced') }])
  })

  it('fails for a policy that does not compile', async () => {
    const file = join(folder, 'bad.yaml')
    await writeFile(file, 'apiVersion: parley/v1\nname: bad\ndefault: maybe\n')
    const { code, of } = await levels(['--policy', file], { PATH: folder })
    expect(code).toBe(exitCodes.no)
    expect(of('policy')[0]?.text).toContain(`${file}:3`)
  })
})

describe('parley why', () => {
  it('joins both sides, and names the rule, the score and what to do', async () => {
    const { open, callerData, calleeData, close } = await openRecorded()
    const sound = await open.buy()
    const refused = await open.desk.tryCall(shop.wipe, {})
    await close()
    const why = await runCaptured(['why', sound.hop.id, '--data', callerData, '--data', calleeData])
    expect(why.code).toBe(exitCodes.ok)
    expect(why.out).toContain('caller  asked acme/shop for shop:buy, trusted 500 (standard)')
    expect(why.out).toContain('callee  was asked by acme/desk for shop:buy')
    expect(why.out).toContain('nothing refused it')
    const no = await runCaptured(['why', refused.hop.id, '--data', callerData, '--data', calleeData, '--json'])
    expect(JSON.parse(no.out)).toMatchObject({
      records: [{ record: { side: 'caller', tier: 'standard' } }],
      decided: {
        side: 'caller',
        stage: 'policy',
        code: 'trust.below-threshold',
        rule: 'parley:defaults#administrative-needs-a-human',
        score: expect.any(Number),
        tier: 'standard',
        todo: expect.any(String),
      },
    })
  })

  it('never takes an answer of the callee, or a rule that allowed, for what refused', async () => {
    const { open, callerData, calleeData, close } = await openRecorded()
    const refused = await open.desk.tryCall(unchecked(shop.buy), { item: 5 } as never)
    await close()
    const decidedBy = async (...data: readonly string[]): Promise<unknown> => {
      const why = await runCaptured(['why', refused.hop.id, ...data.flatMap((file) => ['--data', file]), '--json'])
      return (JSON.parse(why.out) as { readonly decided: unknown }).decided
    }
    const code = { side: 'callee', code: 'contract.input-invalid' }
    const alone = await decidedBy(callerData)
    expect(alone).toMatchObject(code)
    const both = await decidedBy(callerData, calleeData)
    expect(both).toMatchObject({ ...code, stage: 'deliver' })
    expect(alone).not.toHaveProperty('stage')
    for (const decided of [alone, both]) expect(decided).not.toHaveProperty('rule')
  })

  it('finds a hop by the leaf of its envelope, in an export as well', async () => {
    const { open, callerData, close } = await openRecorded()
    await open.buy()
    const leaf = String((await open.hopsOf(open.desk))[0]?.['leaf'])
    await close()
    const file = join(folder, 'desk.jsonl')
    expect((await runCaptured(['audit', 'export', '--data', callerData, '--out', file])).code).toBe(exitCodes.ok)
    const why = await runCaptured(['why', leaf, '--data', file])
    expect(why.out).toContain('shop:buy')
  })

  it('says so when nobody recorded the hop, and when a store is in use', async () => {
    const { callerData, close } = await openRecorded()
    const locked = await runCaptured(['why', 'A'.repeat(22), '--data', callerData])
    expect(locked.code).toBe(exitCodes.failure)
    expect(locked.err).toMatch(/^store\.locked: .*\nwhat to do: /)
    await close()
    const nobody = await runCaptured(['why', 'A'.repeat(22), '--data', callerData])
    expect(nobody).toMatchObject({
      code: exitCodes.usage,
      out: '',
      err: expect.stringMatching(/^cli\.usage: no record of/) as string,
    })
  })
})

describe('parley audit', () => {
  it('exports a log that it then verifies, and finds what was changed in it', async () => {
    const { open, callerData, close } = await openRecorded()
    for (let call = 0; call < 5; call++) await open.buy()
    await close()
    const file = join(folder, 'desk.jsonl')
    await runCaptured(['audit', 'export', '--data', callerData, '--out', file])
    const { out } = await runCaptured(['audit', 'export', '--data', callerData])
    expect(await readFile(file, 'utf8')).toBe(out)
    expect((await runCaptured(['audit', 'export', '--data', callerData, '--out', file])).code).toBe(exitCodes.usage)
    const sound = await runCaptured(['audit', 'verify', file, '--origin', 'parley/main/acme/desk', '--json'])
    expect(sound.code).toBe(exitCodes.ok)
    const { head } = JSON.parse(sound.out) as { readonly head: { readonly size: number; readonly root: string } }
    const known = `${String(head.size)}:${head.root}`
    expect((await runCaptured(['audit', 'verify', callerData, '--head', known])).out).toContain(`head ${known}`)
    expect((await runCaptured(['audit', 'verify', file, '--size', String(head.size + 1)])).code).toBe(exitCodes.no)
    expect((await runCaptured(['audit', 'verify', file, '--head', 'x'])).code).toBe(exitCodes.usage)
    expect((await runCaptured(['audit', 'verify', file, '--origin', 'parley/main/acme/other'])).code).toBe(exitCodes.no)
    await writeFile(file, out.replace('shop:buy', 'shop:bye'))
    const changed = await runCaptured(['audit', 'verify', file, '--json'])
    expect(changed.code).toBe(exitCodes.no)
    const bad = out
      .split('\n')
      .filter((line) => line.startsWith('{"leaf"'))
      .findIndex((line) => line.includes('shop:buy'))
    expect(JSON.parse(changed.out)).toMatchObject({ kind: 'tampered', firstBadRecord: bad + 1 })
  })
})

describe('parley policy lint', () => {
  it('lists every problem with its place, and 0 for none', async () => {
    const [good, bad] = [join(folder, 'good.yaml'), join(folder, 'bad.yaml')]
    await writeFile(good, 'apiVersion: parley/v1\nname: good\ndefault: allow\nrules: []\n')
    await writeFile(
      bad,
      "apiVersion: parley/v1\nname: bad\ndefault: allow\nrules:\n  - name: r\n    when: caller.nmae == 'x'\n    effect: deny\n",
    )
    expect(await runCaptured(['policy', 'lint', good])).toMatchObject({ code: exitCodes.ok, err: '' })
    const wrong = await runCaptured(['policy', 'lint', good, bad])
    expect(wrong.code).toBe(exitCodes.no)
    expect(wrong.out).toMatch(new RegExp(`^${bad}:6:\\d+: `))
  })
})
