import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { formatProblem, type PolicyEngine, type PolicyProblem } from '@parley/policy'
import { loadRego, type LoadRegoOptions } from '@parley/policy-rego'
import { createTar, parseTar } from 'nanotar'
import { describe, expect, it } from 'vitest'
import { hopOf } from '../../packages/policy/src/policy-input.fixture.ts'

const folder = join(import.meta.dirname, 'languages')
const read = (file: string): Buffer => readFileSync(join(folder, file))

function load(
  bytes: Uint8Array,
  options: LoadRegoOptions = {},
): { readonly engine: PolicyEngine | undefined; readonly problem: string } {
  const problems: PolicyProblem[] = []
  const engine = loadRego({ file: 'x.tar.gz', bytes }, problems, options)
  expect(engine === undefined).toBe(problems.length > 0)
  return { engine, problem: problems.map(formatProblem).join('\n') }
}

/** Unpacks a bundle, changes its files, and packs it again. */
function repack(file: string, change: (files: Map<string, Uint8Array>) => void): Buffer {
  const tar = new Uint8Array(gunzipSync(read(file)))
  const files = new Map(parseTar(tar).map(({ name, data }) => [name, data ?? new Uint8Array()]))
  change(files)
  return gzipSync(createTar([...files].map(([name, data]) => ({ name, data }))))
}

const module = (): Uint8Array<ArrayBuffer> => {
  const tar = new Uint8Array(gunzipSync(read('region-pinning.tar.gz')))
  return new Uint8Array(parseTar(tar).find(({ name }) => name.endsWith('policy.wasm'))?.data ?? [])
}

describe('the bundles of the tests', () => {
  const sums = read('SHA256SUMS').toString().trim().split('\n')
  it.each(sums.map((line) => line.split(/\s+/)))('have the hash %s: %s', (sum, file = '') => {
    expect(createHash('sha256').update(read(file)).digest('hex')).toBe(sum)
  })
})

const { OPA: opa } = process.env

describe.skipIf(opa === undefined)('the bundles of the tests, built again (needs OPA, the path of opa 0.70)', () => {
  it.each([
    ['region-pinning', 'regions'],
    ['capability-scoping', 'scopes'],
    ['email-redaction', 'redaction'],
  ])('are what opa makes of %s.rego', (name, entrypoint) => {
    const out = join(mkdtempSync(join(tmpdir(), 'parley-rego-')), 'bundle.tar.gz')
    execFileSync(opa ?? '', ['build', '-t', 'wasm', '-e', entrypoint, '-o', out, `${name}.rego`], { cwd: folder })
    expect(readFileSync(out).equals(read(`${name}.tar.gz`))).toBe(true)
  })
})

describe('loadRego', () => {
  it('decides by the package, with its own reason', () => {
    const { engine } = load(read('region-pinning.tar.gz'))
    const hop = (region: unknown): unknown => engine?.decide(hopOf({ action: 'data:store', body: () => ({ region }) }))
    expect(engine).toMatchObject({ name: 'x', language: 'rego', hash: expect.stringMatching(/^[\w-]{43}$/) })
    expect(hop('eu-west-1')).toEqual({ kind: 'allow', rule: 'allow' })
    expect(hop('us-east-1')).toEqual({
      kind: 'deny',
      rule: 'allow',
      code: 'policy.denied',
      reason: 'data is stored in eu-central-1 or eu-west-1',
    })
    expect(hop(['eu-west-1'])).toMatchObject({ kind: 'deny' })
  })

  it('takes the module alone as it takes the bundle', () => {
    expect(load(module()).engine?.decide(hopOf({ action: 'data:read' }))).toMatchObject({ kind: 'allow' })
  })

  it('redacts only where the package has a transform, and leaves the body of the caller alone', () => {
    const { engine } = load(read('email-redaction.tar.gz'))
    const body = { text: 'ask a.b@c.example or d@e.example', ticket: 7 }
    const hop = hopOf({ action: 'support:reply', body: () => body })
    expect(engine?.transform?.(hop)).toEqual({
      rule: 'transform',
      body: { text: 'ask [redacted] or [redacted]', ticket: 7 },
    })
    expect(body.text).toContain('@')
    expect(engine?.transform?.(hopOf({ action: 'support:reply', body: () => ({ text: 'none' }) }))).toBeUndefined()
    expect(load(read('region-pinning.tar.gz')).engine?.transform).toBeUndefined()
  })

  it('has another hash for another module and another entrypoint', () => {
    const hashes = [
      load(read('region-pinning.tar.gz')),
      load(read('capability-scoping.tar.gz')),
      load(read('region-pinning.tar.gz'), { entrypoint: 'regions/allow' }),
    ].map(({ engine }) => engine?.hash)
    expect(new Set(hashes).size).toBe(3)
  })

  it('denies without a result, and decides by a bare bool', () => {
    const reason = load(read('region-pinning.tar.gz'), { entrypoint: 'regions/deny_reason' }).engine
    expect(reason?.decide(hopOf({ action: 'data:read' }))).toMatchObject({
      kind: 'deny',
      code: 'policy.evaluation-failed',
    })
    const allow = load(read('region-pinning.tar.gz'), { entrypoint: 'regions/allow' }).engine
    expect(allow?.decide(hopOf({ action: 'data:read' }))).toMatchObject({ kind: 'allow' })
    expect(allow?.decide(hopOf({ action: 'data:erase' }))).toMatchObject({ kind: 'deny', code: 'policy.denied' })
  })

  it('throws, which denies, at a body that cannot be read, and decides the next hop as if nothing had been', () => {
    const { engine } = load(read('region-pinning.tar.gz'))
    const body = (): never => {
      throw new SyntaxError('not JSON')
    }
    expect(() => engine?.decide(hopOf({ action: 'data:read', body }))).toThrow('not JSON')
    expect(engine?.decide(hopOf({ action: 'data:read' }))).toMatchObject({ kind: 'allow' })
  })

  it('throws at what does not fit into the memory of the module, and goes on with another instance', () => {
    const { engine } = load(read('region-pinning.tar.gz'))
    const huge = { region: 'x'.repeat(40 * 1024 * 1024) }
    expect(() => engine?.decide(hopOf({ action: 'data:store', body: () => huge }))).toThrow(/memory|Memory/)
    let deep: unknown = 'eu-west-1'
    for (let depth = 0; depth < 5_000; depth++) deep = [deep]
    let answer: unknown = 'thrown'
    try {
      answer = engine?.decide(hopOf({ action: 'data:store', body: () => ({ region: deep }) })).kind
    } catch {
      answer = 'thrown'
    }
    expect(['thrown', 'deny']).toContain(answer)
    expect(engine?.decide(hopOf({ action: 'data:read' }))).toMatchObject({ kind: 'allow' })
  })

  it('keeps its memory over many hops', () => {
    const { engine } = load(read('email-redaction.tar.gz'))
    const hop = hopOf({ action: 'support:reply', body: () => ({ text: `a@b.example ${'x'.repeat(2_000)}` }) })
    for (let at = 0; at < 2_000; at++) engine?.decide(hop)
    expect(engine?.decide(hop)).toMatchObject({ kind: 'allow' })
  })
})

describe('bad bundles', () => {
  const bundle = (): Buffer => read('region-pinning.tar.gz')
  const empty = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])
  it.each<readonly [string, () => Uint8Array, string]>([
    ['nothing', () => new Uint8Array(), 'holds 0 modules'],
    ['a text', () => Buffer.from('package regions\n'), 'holds 0 modules'],
    ['random bytes', () => createHash('sha512').update('x').digest(), ''],
    ['half a bundle', () => bundle().subarray(0, 20_000), ''],
    ['half a module', () => module().subarray(0, 50_000), 'the module is not whole'],
    ['a module of something else', () => empty, 'was not made by OPA'],
    [
      'a bundle without a module',
      () => repack('region-pinning.tar.gz', (files) => files.delete('policy.wasm')),
      'holds 0 modules',
    ],
    [
      'a bundle with two modules',
      () => repack('region-pinning.tar.gz', (files) => files.set('b.wasm', empty)),
      'holds 2 modules',
    ],
    [
      'data that is not JSON',
      () => repack('region-pinning.tar.gz', (files) => files.set('data.json', Buffer.from('{'))),
      'is not JSON',
    ],
    [
      'data that is no object',
      () => repack('region-pinning.tar.gz', (files) => files.set('data.json', Buffer.from('[]'))),
      'not an object',
    ],
    [
      'data in a folder',
      () => repack('region-pinning.tar.gz', (files) => files.set('a/data.json', Buffer.from('{}'))),
      'the data of a/data.json',
    ],
    ['10 MB', () => new Uint8Array(10 * 1024 * 1024), 'larger than 8388608'],
    ['a bomb', () => gzipSync(new Uint8Array(100 * 1024 * 1024)), 'unpacks to more than'],
  ])('are refused: %s', (_what, bytes, problem) => {
    const { engine, problem: found } = load(bytes())
    expect(engine).toBeUndefined()
    expect(found).toContain(problem)
  })

  it('are refused without the entrypoint that is asked for', () => {
    expect(load(bundle(), { entrypoint: 'other' }).problem).toContain(
      'no entrypoint other: there are regions, regions/allow',
    )
  })

  it('are refused where a byte of the code is another', () => {
    const bytes = module()
    bytes.fill(0xff, 20_000, 20_064)
    expect(load(bytes).problem).toContain('the module is not whole')
  })
})
