import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode, defineContract, localIssuer } from '@parley/mesh'
import { createSagas, defineSaga, step } from '@parley/saga'
import { openSqliteStore } from '@parley/store-sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runCaptured, type CliRun } from './captured-cli.ts'

const rooms = defineContract('rooms', {
  take: { input: z.object({}), output: z.object({ room: z.int() }), risk: 'reversible', undo: true },
  pay: { input: z.object({}), output: z.object({}), errors: { poor: z.object({}) }, risk: 'reversible', undo: true },
})

const source = `
import { defineContract } from '@parley/mesh'
import { defineSaga, step } from '@parley/saga'
import { z } from 'zod'
const rooms = defineContract('rooms', {
  take: { input: z.object({}), output: z.object({ room: z.int() }), risk: 'reversible', undo: true },
})
export const stay = defineSaga('stay', { version: 1, input: z.object({}) }, step('room', { do: rooms.take, input: () => ({}) }))
`

const stay = defineSaga(
  'stay',
  { version: 1, input: z.object({}) },
  step('room', { do: rooms.take, to: ['acme/hotel'], input: () => ({}) }),
  step('pay', { do: rooms.pay, to: ['acme/hotel'], input: () => ({}) }),
)

describe('parley saga', () => {
  let folder = ''
  let data = ''
  const at = (...names: readonly string[]): string => join(folder, ...names)
  const run = (...args: readonly string[]): Promise<CliRun> => runCaptured(['saga', ...args, '--data', data])

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-cli-saga-'))
    data = at('store.sqlite')
    const issuer = localIssuer('acme')
    const hotel = await createNode({ name: 'acme/hotel', issuer, serves: [rooms] })
    hotel.serve(rooms, {
      take: {
        do: () => ({ room: 7 }),
        undo: (_input, hop) => hop.refuse('policy.denied'),
        lookup: () => ({ found: 'absent' }),
      },
      pay: { do: (_input, hop) => hop.decline('poor', {}), undo: () => undefined, lookup: () => ({ found: 'absent' }) },
    })
    await hotel.start()
    const store = await openSqliteStore({ path: data })
    const desk = await createNode({ name: 'acme/desk', issuer, calls: rooms.capabilities, store })
    await desk.start()
    const sagas = createSagas(desk, { definitions: [stay] })
    const trip = await sagas.start(stay, {}, { id: 'trip-1' })
    expect((await trip.settled()).status).toBe('stuck')
    await sagas.close()
    await desk.close()
    await hotel.close()
    await store.close()
    const cli = async (...args: readonly string[]): Promise<string> => {
      const { code, out, err } = await runCaptured(args)
      expect({ code, err }).toMatchObject({ code: 0 })
      return out
    }
    await cli('issuer', 'init', '--alias', 'staff', at('staff'))
    await cli('keys', 'init', at('ann.key'))
    const { did } = JSON.parse(await cli('keys', 'show', at('ann.key'), '--json')) as { readonly did: string }
    const flags = ['--issuer', at('staff'), '--instance', did, '--json']
    await writeFile(at('ann.json'), await cli('credential', 'issue', 'staff/ann', ...flags, '--human', '2'))
    await writeFile(at('bot.json'), await cli('credential', 'issue', 'staff/bot', ...flags))
  })

  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('lists what is open, and counts its versions', async () => {
    const { code, out } = await run('list', '--open')
    expect({ code, out }).toEqual({ code: 0, out: 'stuck       acme/desk  trip-1  stay@1 at room (policy.denied)\n' })
    expect((await run('versions')).out).toContain(`stay@1  ${stay.fingerprint}  1 open`)
    const json = JSON.parse((await run('list', '--json')).out) as { readonly sagas: readonly { readonly id: string }[] }
    expect(json.sagas.map(({ id }) => id)).toEqual(['trip-1'])
  })

  it('draws what each step went through', async () => {
    const { code, out } = await run('show', 'trip-1')
    expect(code).toBe(0)
    const lines = out.split('\n')
    expect(lines.find((line) => line.startsWith('  room'))).toMatch(/^ {2}room {2}·*>=+<+!+$/)
    expect(lines.find((line) => line.startsWith('  pay '))).toMatch(/^ {2}pay {3}·+>x+$/)
    expect(out).toMatch(/stalled +room +policy\.denied/)
    expect((await run('show', 'nobody')).err).toContain('saga.unknown')
  })

  it('exports to standard output, also where it is called -, and verify tells an edited export from a damaged store', async () => {
    const { out } = await run('export', 'trip-1')
    expect(await run('export', 'trip-1', '--out', '-')).toEqual({ code: 0, out, err: '' })
    const edited = at('edited.jsonl')
    await writeFile(edited, out.replace('"type":"turned"', '"type":"queued"'))
    const told = await runCaptured(['verify', edited, '--anchor', at('staff', 'anchor.json')])
    expect(told).toMatchObject({ code: 1, err: '' })
    expect(told.out).toMatch(
      /^tampered .*\(saga\.proof-altered\)\n.* not as it was exported\nwhat to do: .*fresh export/,
    )
    expect(told.out).not.toContain('backup')
  })

  it('holds open sagas against a build before it is deployed', async () => {
    const build = join(import.meta.dirname, `.stay-${String(process.pid)}.ts`)
    await writeFile(build, source)
    try {
      const { code, out } = await run('check', build)
      expect(code).toBe(1)
      expect(out).toContain('saga.version-conflict acme/desk trip-1')
      expect(out).toContain('0 of 1 open sagas')
    } finally {
      await rm(build)
    }
  })

  it('writes what a person decided into the journal, and nothing of who is no person, or one of an owner that was not named', async () => {
    const by = (name: string): readonly string[] => [
      '--credential',
      at(`${name}.json`),
      '--key',
      at('ann.key'),
      '--reason',
      'the hotel is closed',
    ]
    const foreign = await run('skip', 'trip-1', 'room', ...by('ann'), '--anchor', at('staff', 'anchor.json'))
    expect(foreign).toMatchObject({ code: 1, out: expect.stringContaining('saga.decision-refused') as string })
    expect((await run('show', 'trip-1')).out).not.toContain('decided')
    const anchor = ['--decider', at('staff', 'anchor.json')]
    const bot = await run('skip', 'trip-1', 'room', ...by('bot'), ...anchor)
    expect(bot).toMatchObject({ code: 1, out: expect.stringContaining('identity.sign-in-too-weak') as string })
    await runCaptured(['keys', 'init', at('other.key')])
    const stolen = await run('skip', 'trip-1', 'room', ...by('ann').with(3, at('other.key')), ...anchor)
    expect(stolen).toMatchObject({ code: 2, err: expect.stringContaining('was issued to') as string })
    const wrong = await run('retry', 'trip-1', 'pay', ...by('ann'), ...anchor)
    expect(wrong).toMatchObject({ code: 1, out: expect.stringContaining('saga.decision-refused') as string })
    expect(await run('skip', 'trip-1', 'room', ...by('ann'), ...anchor)).toMatchObject({
      code: 0,
      out: 'heard: skip is on the record of trip-1; its agent goes on by it when it starts\n',
    })
    expect((await run('show', 'trip-1')).out).toMatch(/decided +skip room by staff\/ann: "the hotel is closed"/)
  })
})
