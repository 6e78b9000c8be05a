import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CallOptions, Outcome } from '@parley/mesh'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCaptured } from './captured-cli.ts'
import { openShop, shop } from './shop.ts'

const house = `apiVersion: parley/v1
name: house
default: deny
rules:
  - { name: looks, when: "action == 'shop:look' && size(labels) == 0", effect: allow, limit: 3/minute }
  - name: sells
    when: action == 'shop:buy' && onBehalfOf != 'mallory' && body.item in ['lamp', 'vase']
    effect: allow
  - { name: no-pianos, when: "action == 'shop:buy' && body.item == 'piano'", effect: deny }
  - { name: no-gifts, when: "action == 'shop:buy' && 'gift' in labels && body.card == 'none'", effect: deny }
  - { name: safes, when: "action == 'shop:buy' && body.item == 'safe'", effect: require_approval }
  - { name: burns, when: "action == 'shop:burn' && objective.known && objective.budgetLeft > 2.0", effect: allow }
`

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-replay-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

interface Replay {
  readonly side: string
  readonly kept: { readonly kind: string; readonly rule: string; readonly input: { readonly body?: string } }
  readonly replayed: {
    readonly isSameVerdict: boolean
    readonly isSamePolicy: boolean
    readonly body: string
    readonly failed?: { readonly rule: string; readonly result: string; readonly because?: string }
  }
}

/** What is asked, how it ends, and the rule and clause that a denial hangs on: of the shop, or, with `desk`, of the caller. */
const asked: readonly [
  capability: 'look' | 'buy' | 'burn' | 'wipe',
  item: string,
  options: CallOptions,
  end: string,
  failed?: string,
][] = [
  ['look', 'lamp', {}, 'ok'],
  ['look', 'lamp', { onBehalfOf: 'ann' }, 'ok'],
  ['look', 'vase', { labels: ['secret'] }, 'policy.denied', 'looks: size(labels) == 0'],
  ['look', 'vase', {}, 'ok'],
  ['look', 'vase', {}, 'policy.rate-limited'],
  ['buy', 'lamp', {}, 'ok'],
  ['buy', 'vase', {}, 'ok'],
  ['buy', 'vase', { labels: ['fragile'] }, 'ok'],
  ['buy', 'flute', {}, 'policy.denied', "sells: body.item in ['lamp', 'vase']"],
  ['buy', 'flute', { onBehalfOf: 'ann' }, 'policy.denied', "sells: body.item in ['lamp', 'vase']"],
  ['buy', 'lamp', { onBehalfOf: 'mallory' }, 'policy.denied', "sells: onBehalfOf != 'mallory'"],
  ['buy', 'piano', {}, 'policy.denied', 'no-pianos'],
  ['buy', 'piano', { labels: ['fragile'] }, 'policy.denied', 'no-pianos'],
  ['buy', 'lamp', { labels: ['gift'] }, 'policy.evaluation-failed', 'no-gifts: '],
  ['buy', 'safe', {}, 'policy.approval-required', 'safes'],
  ['buy', 'safe', { onBehalfOf: 'ann' }, 'policy.approval-required', 'safes'],
  ['burn', '', {}, 'policy.denied', 'burns: objective.'],
  ['burn', '', { onBehalfOf: 'ann' }, 'policy.denied', 'burns: objective.'],
  ['wipe', '', {}, 'trust.below-threshold', 'administrative-needs-a-human'],
  ['wipe', '', { onBehalfOf: 'ann' }, 'trust.below-threshold', 'administrative-needs-a-human'],
]

async function record(keep: 'inputs' | 'bodies', name: string) {
  const [counterData, deskData] = [join(folder, `${name}-shop.sqlite`), join(folder, `${name}-desk.sqlite`)]
  const policy = join(folder, `${name}.yaml`)
  await writeFile(policy, house)
  const open = await openShop(
    {},
    {
      counter: { data: counterData, keepDecisions: keep, policy: [{ file: policy, text: house }] },
      desk: { data: deskData, keepDecisions: keep },
    },
  )
  const outcomes: Outcome[] = []
  for (const [capability, item, options] of asked) {
    const input = capability === 'burn' || capability === 'wipe' ? {} : { item }
    outcomes.push(await open.desk.tryCall(shop[capability] as typeof shop.buy, input as { item: string }, options))
  }
  await open[Symbol.asyncDispose]()
  const replay = async (hop: string, files: readonly string[], data: string, more: readonly string[] = []) => {
    const run = await runCaptured(['policy', 'explain', ...files, '--hop', hop, '--data', data, '--json', ...more])
    return { code: run.code, err: run.err, replays: (JSON.parse(run.out) as { replays: readonly Replay[] }).replays }
  }
  return { outcomes, policy, counterData, deskData, replay }
}

describe('parley policy explain --hop', () => {
  it('decides 20 recorded hops again as they were decided, and names the clause that each refusal hangs on', async () => {
    const { outcomes, policy, counterData, deskData, replay } = await record('bodies', 'kept')
    for (const [at, [capability, item, , end, failed]] of asked.entries()) {
      const outcome = outcomes[at]
      const what = `${String(at)} ${capability} ${item}`
      expect(outcome && ('code' in outcome ? outcome.code : outcome.kind), what).toBe(end)
      const isCallers = end === 'trust.below-threshold'
      const [files, data] = isCallers ? [[], deskData] : [[policy], counterData]
      const { code, replays } = await replay(outcome?.hop.id ?? '', files, data)
      expect(code, what).toBe(0)
      expect(replays, what).toMatchObject([
        { side: isCallers ? 'caller' : 'callee', replayed: { isSameVerdict: true, isSamePolicy: true } },
      ])
      const found = replays[0]?.replayed.failed
      const told = found && found.rule + (found.because === undefined ? '' : `: ${found.because}`)
      expect(told?.slice(0, failed?.length), what).toBe(failed)
    }
  })

  it('says that the documents are others, and what they would say', async () => {
    const { outcomes, counterData, replay } = await record('bodies', 'others')
    const other = join(folder, 'other.yaml')
    await writeFile(other, house.replace("'vase']", "'vase', 'flute']"))
    const { code, replays } = await replay(outcomes[8]?.hop.id ?? '', [other], counterData)
    expect(code).toBe(1)
    expect(replays).toMatchObject([
      { kept: { kind: 'deny' }, replayed: { isSamePolicy: false, isSameVerdict: false, decision: { kind: 'allow' } } },
    ])
    const text = await runCaptured([
      'policy',
      'explain',
      other,
      '--hop',
      outcomes[8]?.hop.id ?? '',
      '--data',
      counterData,
    ])
    expect(text.out).toContain('another verdict now')
    expect(text.out).toContain('other documents: policy ')
  })

  it('keeps the digest of a body alone unless told otherwise, and takes no other body for it', async () => {
    const { outcomes, policy, counterData, deskData, replay } = await record('inputs', 'digests')
    const refused = outcomes[8]?.hop.id ?? ''
    const files = [policy]
    expect(await replay(refused, files, counterData)).toMatchObject({
      code: 1,
      replays: [
        {
          kept: { input: { body: expect.stringMatching(/^[\w-]{43}$/) as string } },
          replayed: { body: 'missing', isSameVerdict: false },
        },
      ],
    })
    expect(await replay(refused, files, counterData, ['--body', '{"item":"lamp"}'])).toMatchObject({
      code: 1,
      replays: [{ replayed: { body: 'other', isSameVerdict: false } }],
    })
    expect(await replay(refused, files, counterData, ['--body', '{"item":"flute"}'])).toMatchObject({
      code: 0,
      replays: [{ replayed: { body: 'same', isSameVerdict: true } }],
    })
    const exported = join(folder, 'digests.jsonl')
    await runCaptured(['audit', 'export', '--data', counterData, '--out', exported])
    expect(await replay(refused, files, exported, ['--body', '{"item":"flute"}'])).toMatchObject({ code: 0 })
    // What no rule read is not there either: the built-in documents read no body.
    const { replays } = await replay(refused, [], deskData)
    expect(replays[0]?.kept.input).toMatchObject({ action: 'shop:buy' })
    expect(replays[0]?.kept.input).not.toHaveProperty('body')
  })

  it('says where no decision was kept, and what it needs', async () => {
    const { counterData, policy, replay } = await record('inputs', 'needs')
    const nobody = await replay('A'.repeat(22), [policy], counterData)
    expect(nobody).toMatchObject({ code: 2, err: expect.stringContaining('keepDecisions') as string })
    for (const wrong of [[], ['--hop', 'x'], ['--hop', 'x', '--input', '{}']])
      expect((await runCaptured(['policy', 'explain', policy, ...wrong])).code).toBe(2)
  })
})
