import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAnchor } from '@parley/identity'
import type { MeshNode } from '@parley/mesh'
import { openSqliteStore } from '@parley/store-sqlite'
import { createTestMesh } from '@parley/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCaptured } from './captured-cli.ts'
import { shop, soundServes } from './shop.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-cli-policy-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

const write = async (name: string, text: string): Promise<string> => {
  await writeFile(join(folder, name), text)
  return join(folder, name)
}

const run = async <Value>(...args: readonly string[]): Promise<{ readonly code: number; readonly value: Value }> => {
  const { code, out } = await runCaptured([...args, '--json'])
  return { code, value: JSON.parse(out) as Value }
}

describe('parley policy test, explain and shadow', () => {
  it('decide by documents of every form, and fail where a case does not hold', async () => {
    await write(
      'kit.yaml',
      'apiVersion: governance.toolkit/v1\nname: kit\ndefault_action: allow\nrules:\n  - { name: never, condition: "action.type == \'drop\'", action: deny }\n',
    )
    const cedar = await write('open.cedar', 'permit (principal, action, resource);\n')
    const manifest = 'agent: { id: kit-user, manifest: { tools: [ { name: drop }, { name: reply } ] } }\n'
    await write('tools.yaml', manifest)
    const table = (expected: string): string =>
      `apiVersion: parley/v1\npolicy: [kit.yaml, tools.yaml, open.cedar]\ncases:\n  - { name: drops, input: { action: 'support:drop' }, expect: deny, rule: kit#never }\n  - { name: replies, input: { action: 'support:reply' }, expect: ${expected} }\n`
    const good = await write('good.test.yaml', table('allow'))
    expect(await run('policy', 'test', good)).toMatchObject({
      code: 0,
      value: { results: [{ passed: true }, { passed: true }] },
    })
    const bad = await write('bad.test.yaml', table('deny'))
    const failed = await runCaptured(['policy', 'test', bad])
    expect(failed.code).toBe(1)
    expect(failed.out).toContain(`${bad}:5: failed replies: expected deny`)

    const explained = await run(
      'policy',
      'explain',
      join(folder, 'kit.yaml'),
      cedar,
      '--input',
      '{"action":"support:drop"}',
    )
    expect(explained.value).toMatchObject({ decision: { kind: 'deny', document: 'kit', rule: 'never' } })

    const misspelt = ['--input', '{"action":"support:drop","caller":{"nam":"acme/ann"}}']
    const wrong = await runCaptured(['policy', 'explain', join(folder, 'kit.yaml'), cedar, ...misspelt])
    expect(wrong).toMatchObject({ code: 2, out: '' })
    expect(wrong.err).toContain('unknown key caller.nam')

    const closed = await write('closed.cedar', 'forbid (principal, action, resource);\n')
    const shadow = await run<{ readonly differences: readonly { readonly name: string }[] }>(
      'policy',
      'shadow',
      good,
      '--with',
      closed,
    )
    expect(shadow.value).toMatchObject({ cases: 2, differences: [{ name: 'replies' }] })
    const first = await run('policy', 'shadow', '--with', cedar, '--with', closed, good)
    expect(first).toEqual({ code: 0, value: shadow.value })
    const doctor = await run<{ readonly findings: readonly { readonly check: string; readonly level: string }[] }>(
      'doctor',
      '--policy',
      cedar,
      '--policy',
      closed,
    )
    expect(doctor.value.findings).toContainEqual(expect.objectContaining({ check: 'policy', level: 'ok' }))
  })
})

describe('parley policy explain', () => {
  it('says whom a rule asks, what a limit takes, and what a transform makes of the body', async () => {
    const document = await write(
      'desk.yaml',
      [
        'apiVersion: parley/v1',
        'name: desk',
        'default: deny',
        'rules:',
        "  - { name: sends, when: action == 'mail:send', effect: allow, limit: 10/minute }",
        "  - { name: pays, when: action == 'bank:pay', effect: require_approval, approvers: [a/ann, a/bob], requires: 2, within: 30m }",
        "  - { name: any, when: action == 'bank:lend', effect: require_approval }",
        "  - { name: hush, when: has(body.note), effect: transform, redact: [body.note], matching: '[a-z]+@[a-z]+' }",
        '',
      ].join('\n'),
    )
    const explain = async (input: unknown): Promise<readonly string[]> => {
      const { code, out } = await runCaptured(['policy', 'explain', document, '--input', JSON.stringify(input)])
      expect(code).toBe(0)
      return out.split('\n')
    }
    const sent = { action: 'mail:send', body: { to: 'x', note: 'ask ann@acme' } }
    expect((await explain(sent)).slice(0, 3)).toEqual([
      'allow by desk#sends',
      '  desk#sends takes 1 of 10 every 1m, if that is left',
      '  body rewritten by desk#hush: {"to":"x","note":"ask [redacted]"}',
    ])
    expect((await explain({ action: 'bank:pay' })).slice(0, 2)).toEqual([
      expect.stringMatching(/^require_approval by desk#pays: /),
      '  desk#pays asks 2 of a/ann, a/bob, within 30m',
    ])
    expect((await explain({ action: 'bank:lend' }))[1]).toBe(
      '  desk#any asks 1 of anybody whose credential grants to approve, within 1h',
    )
    expect(await run('policy', 'explain', document, '--input', JSON.stringify(sent))).toMatchObject({
      value: { decision: { rewritten: { rules: ['desk#hush'], body: { note: 'ask [redacted]' } } } },
    })
    expect(await run('policy', 'explain', document, '--input', '{"action":"bank:pay"}')).toMatchObject({
      value: { decision: { approval: { demands: [{ rule: 'pays', requires: 2, forMs: 1_800_000 }] } } },
    })
  })
})

describe('parley approve', () => {
  it('lists what waits, signs answers that the node takes in, and marks a request whose digest is of something else', async () => {
    const keys = join(folder, 'staff')
    const made = await run<{ readonly anchor: unknown }>('issuer', 'init', keys, '--alias', 'staff')
    const key = join(folder, 'ann.key')
    const { did } = (await run<{ readonly did: string }>('keys', 'init', key)).value
    const asking = ['credential', 'issue', 'staff/ann', '--issuer', keys, '--instance', did]
    const issued = await runCaptured([...asking, '--human', '2', '--json'])
    const credential = await write('ann.json', issued.out)
    const text =
      "apiVersion: parley/v1\nname: asks\ndefault: allow\nrules:\n  - { name: ask, when: action == 'shop:buy', effect: require_approval, approvers: [staff/ann] }\n"

    await using mesh = createTestMesh({ seed: 97 })
    await mesh.clock.advance(Math.max(0, Date.now() - mesh.clock.now()))
    const data = join(folder, 'shop.sqlite')
    const open = (): Promise<MeshNode> =>
      mesh.node('acme/shop', {
        anchors: [mesh.issuer.anchor, parseAnchor(made.value.anchor)],
        policy: [{ file: 'asks.yaml', text }],
        data,
        serves: [shop],
        serve: (node) => {
          node.serve(shop, soundServes)
        },
      })
    const desk = await mesh.node('acme/desk', { calls: [shop.buy] })
    const buy = (item: string) => desk.tryCall(shop.buy, { item }, { to: 'acme/shop' })
    const first = await open()
    for (const item of ['lamp', 'piano', 'vase']) expect(await buy(item)).toMatchObject({ kind: 'refused' })
    await first.close()

    interface Asked {
      readonly id: string
      readonly digest: string
      readonly arguments: { readonly item: string }
      readonly answers: readonly unknown[]
    }
    const list = async (): Promise<readonly Asked[]> =>
      (await run<{ readonly requests: readonly Asked[] }>('approve', 'list', '--data', data)).value.requests
    const requests = await list()
    expect(requests.map(({ arguments: { item } }) => item).toSorted()).toEqual(['lamp', 'piano', 'vase'])
    const answer = async (item: string, word: string, ...more: readonly string[]): Promise<string> => {
      const asked = requests.find((request) => request.arguments.item === item)
      const by = ['--digest', asked?.digest ?? '', '--credential', credential, '--key', key]
      return (await run<{ readonly answer: string }>('approve', word, asked?.id ?? '', ...more, ...by)).value.answer
    }
    const asked = ['approve', 'grant', requests[0]?.id ?? '', '--digest', requests[0]?.digest ?? '']
    const signs = (by: readonly string[]) => runCaptured([...by, '--credential', credential, '--key', key])
    expect(await signs(asked)).toMatchObject({ code: 0 })
    const otherKey = join(folder, 'other.key')
    await run('keys', 'init', otherKey)
    const stolen = await runCaptured([...asked, '--credential', credential, '--key', otherKey])
    expect(stolen).toMatchObject({ code: 2, out: '', err: expect.stringContaining(`was issued to ${did}`) as string })
    expect(await signs(asked.with(4, 'xx'))).toMatchObject({ code: 2, out: '' })
    expect(await signs(asked.with(2, 'xx'))).toMatchObject({ code: 2, out: '' })
    expect((await runCaptured(['approve', 'grant', '--help'])).out).toContain('default 10m')

    const again = await open()
    expect(await again.approvals.answer(await answer('lamp', 'grant'))).toEqual({ kind: 'allow' })
    expect(await again.approvals.answer(await answer('piano', 'deny', '--reason', 'too loud'))).toEqual({
      kind: 'allow',
    })
    expect(await again.approvals.answer(await answer('vase', 'amend', '{"item":"cup"}'))).toEqual({ kind: 'allow' })
    expect(await buy('lamp')).toMatchObject({ kind: 'ok' })
    expect(await buy('piano')).toMatchObject({ code: 'policy.approval-denied' })
    expect(await buy('vase')).toMatchObject({ code: 'policy.approval-denied' })
    await again.close()
    const shown = await runCaptured(['approve', 'list', '--data', data])
    expect(shown.out).toContain('denied by staff/ann: too loud')
    expect(shown.out).toContain('amended by staff/ann to {"item":"cup"}, request ')
    expect(shown).toMatchObject({ code: 0, err: '' })

    // Whoever can write the store shows a lamp, and has a ruby signed.
    const store = await openSqliteStore({ path: data })
    for (const { key, value, revision } of await store.keyValue.list('approval/')) {
      const forged = new TextDecoder().decode(value).replace('"item":"lamp"', '"item":"ruby"')
      await store.keyValue.put(key, new TextEncoder().encode(forged), revision)
    }
    await store.close()
    const marked = await runCaptured(['approve', 'list', '--data', data])
    expect(marked.code).toBe(1)
    expect(marked.out.match(/its digest is not of what is shown here: do not answer it/g)).toHaveLength(1)
  })
})
