import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAnchors, openFileIssuer, readAnchor } from '@parley/identity'
import { createNode, defineContract, type MeshNode } from '@parley/mesh'
import { findNatsServer, startNatsServer, type RunningNatsServer } from '@parley/nats-server'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { createHumanVerifier, createSagas, defineSaga, sagaContract, serveSagas, step, type Sagas } from '@parley/saga'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runCaptured, type CliRun } from '../integration/captured-cli.ts'

const rooms = defineContract('rooms', {
  take: { input: z.object({}), output: z.object({ room: z.int() }), risk: 'reversible', undo: true },
  pay: { input: z.object({}), output: z.object({}), errors: { poor: z.object({}) }, risk: 'reversible', undo: true },
})
const stay = defineSaga(
  'stay',
  { version: 1, input: z.object({}) },
  step('room', { do: rooms.take, to: ['acme/hotel'], input: () => ({}) }),
  step('pay', { do: rooms.pay, to: ['acme/hotel'], input: () => ({}) }),
)

let folder: string
let server: RunningNatsServer
let hotel: MeshNode
let desk: MeshNode
let guest: MeshNode
let sagas: Sagas
const at = (...names: readonly string[]): string => join(folder, ...names)
const cli = (...args: readonly string[]): Promise<CliRun> => runCaptured(args, { NATS_URL: server.url })

async function done(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await cli(...args)
  expect({ code, err }).toMatchObject({ code: 0 })
  return out
}

/** An owner of its own, and who works there. */
async function employ(alias: string, ...people: readonly (readonly [string, ...string[]])[]): Promise<void> {
  await done('issuer', 'init', '--alias', alias, at(alias))
  for (const [who, ...more] of people) {
    const key = at(`${alias}-${who}.key`)
    await done('keys', 'init', key)
    const { did } = JSON.parse(await done('keys', 'show', key, '--json')) as { readonly did: string }
    const flags = ['--issuer', at(alias), '--instance', did, '--calls', 'saga:decide', '--json', ...more]
    await writeFile(at(`${alias}-${who}.json`), await done('credential', 'issue', `${alias}/${who}`, ...flags))
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-decide-'))
  const cacheDir = join(import.meta.dirname, '../../.parley/cache')
  server = await startNatsServer({ binary: await findNatsServer({ env: process.env, cacheDir }) })
  await done('issuer', 'init', '--alias', 'acme', at('acme'))
  const human = ['--human', '2'] as const
  await employ('staff', ['ann', ...human], ['bot'])
  await employ('rival', ['ann', ...human])
  const issuer = await openFileIssuer({ dir: at('acme'), clock: createSystemClock(), random: createSystemRandom() })
  const [acme, staff, rival] = await Promise.all(['acme', 'staff', 'rival'].map((alias) => readAnchor(at(alias))))
  if (!acme || !staff || !rival) throw new TypeError('an anchor is missing')
  const common = { issuer, nats: server.url, anchors: [acme, staff, rival] }
  hotel = await createNode({ ...common, name: 'acme/hotel', serves: [rooms] })
  hotel.serve(rooms, {
    take: {
      do: () => ({ room: 7 }),
      undo: (_input, hop) => hop.refuse('policy.denied'),
      lookup: () => ({ found: 'absent' }),
    },
    pay: { do: (_input, hop) => hop.decline('poor', {}), undo: () => undefined, lookup: () => ({ found: 'absent' }) },
  })
  desk = await createNode({
    ...common,
    name: 'acme/desk',
    calls: rooms.capabilities,
    serves: [sagaContract],
    data: at('desk.sqlite'),
  })
  // The desk serves agents of both owners, but only staff may decide about its sagas.
  const verifyHuman = createHumanVerifier({
    anchors: createAnchors([acme, staff, rival]),
    now: () => desk.clock.now(),
    owner: desk.owner,
    deciders: [staff.owner],
  })
  sagas = createSagas(desk, { definitions: [stay], verifyHuman })
  desk.serve(sagaContract, serveSagas(sagas))
  guest = await createNode({ ...common, name: 'acme/guest', calls: [sagaContract.decide] })
  for (const node of [hotel, desk, guest]) await node.start()
  for (const id of ['trip-1', 'trip-2'])
    expect((await (await sagas.start(stay, {}, { id })).settled()).status).toBe('stuck')
}, 60_000)

afterAll(async () => {
  await sagas.close()
  for (const node of [guest, desk, hotel]) await node.close()
  await server.stop()
  await rm(folder, { recursive: true })
})

const signedBy = (who: string): readonly string[] => [
  '--reason',
  'the hotel is closed',
  '--credential',
  at(`${who}.json`),
  '--key',
  at(`${who}.key`),
]
const overTheBroker = (who: string): readonly string[] => [
  ...signedBy(who),
  '--agent',
  'acme/desk',
  '--anchor',
  at('acme', 'anchor.json'),
  '--anchor',
  at(who.split('-')[0] ?? '', 'anchor.json'),
]
const countStuck = async (id: string): Promise<number> =>
  (await sagas.show(id)).events.filter(({ event }) => event.type === 'stuck').length
const statusOf = async (id: string): Promise<string> => (await sagas.show(id)).view.status

describe('saga:decide over a broker', () => {
  it('refuses a program, and a person of another owner than may decide', async () => {
    const bot = await cli('saga', 'skip', 'trip-1', 'room', ...overTheBroker('staff-bot'))
    expect(bot).toMatchObject({ code: 1, out: expect.stringMatching(/refused/) as string })
    const rival = await cli('saga', 'skip', 'trip-1', 'room', ...overTheBroker('rival-ann'))
    expect(rival).toMatchObject({ code: 1, out: expect.stringContaining('saga.decision-refused') as string })
    expect(await statusOf('trip-1')).toBe('stuck')
  })

  it('hears a person once, who brings the decision or has it brought, and no decision about another saga', async () => {
    const heard = await cli('saga', 'skip', 'trip-1', 'room', ...overTheBroker('staff-ann'))
    expect(heard).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^heard: skip is on the record of trip-1; .*\n$/) as string,
      err: '',
    })
    await expect.poll(() => statusOf('trip-1'), { timeout: 10_000 }).toBe('aborted')

    const signed = await done(
      'saga',
      'retry',
      'trip-2',
      'room',
      ...signedBy('staff-ann'),
      '--of',
      'acme/desk',
      '--json',
    )
    const { declaration } = JSON.parse(signed) as { readonly declaration: string }
    const bring = () => guest.tryCall(sagaContract.decide, { declaration }, { to: 'acme/desk' })
    expect(await bring()).toMatchObject({ kind: 'ok' })
    // It was stuck before as well: over is the retry when it is stuck again.
    await expect.poll(() => countStuck('trip-2'), { timeout: 10_000 }).toBe(2)
    expect(await bring()).toMatchObject({
      kind: 'declined',
      error: { name: 'refused', details: { code: 'saga.decision-refused' } },
    })
    const foreign = await cli('saga', 'skip', 'trip-3', 'room', ...overTheBroker('staff-ann'))
    expect(foreign).toMatchObject({ code: 1, out: expect.stringContaining('saga.unknown') as string })
    const { events } = await sagas.show('trip-2')
    expect(events.filter(({ event }) => event.type === 'decided')).toHaveLength(1)
  })

  it('leaves what anybody can verify with the anchors alone', async () => {
    await sagas.close()
    await desk.close()
    const file = at('trip-1.jsonl')
    await done('saga', 'export', 'trip-1', '--data', at('desk.sqlite'), '--out', file)
    const accepted = ['--anchor', at('acme', 'anchor.json')]
    const anchors = [...accepted, '--decider', at('staff', 'anchor.json')]
    const proved = await done('verify', file, ...anchors)
    expect(proved).toContain('proved')
    expect(proved).toContain('room committed: rooms:take, acme/hotel signed it')
    expect(proved).toContain('asked by acme/desk')
    expect(proved).toContain('staff/ann decided skip room, and signed it')
    const json = JSON.parse(await done('verify', file, ...anchors, '--json')) as Readonly<Record<string, unknown>>
    expect(json).toMatchObject({ kind: 'proved', account: { status: 'aborted', decisions: [{ decision: 'skip' }] } })

    const text = await readFile(file, 'utf8')
    await writeFile(at('forged.jsonl'), text.replace('"reason":"the hotel is closed"', '"reason":"the guest is happy"'))
    expect(await cli('verify', at('forged.jsonl'), ...anchors)).toMatchObject({
      code: 1,
      out: expect.stringMatching(
        /^tampered .*: line \d+ \(saga\.proof-altered\)\n.* not as it was exported\nwhat to do: .*fresh export/,
      ) as string,
    })
    expect(await cli('verify', file, ...accepted)).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^unaccepted .*\(identity\.owner-unknown\)\n.*\nwhat to do: Add an anchor/) as string,
    })
    // An anchor alone gives its persons no say.
    expect(await cli('verify', file, ...accepted, '--anchor', at('staff', 'anchor.json'))).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^tampered .*\(saga\.decision-refused\)/) as string,
    })
    expect(await cli('verify', file)).toMatchObject({ code: 2, err: expect.stringContaining('--anchor') as string })
    const short = at('short.jsonl')
    await done('saga', 'export', 'trip-1', '--data', at('desk.sqlite'), '--out', short, '--no-bodies')
    expect(await readFile(short, 'utf8')).not.toContain('"room":7')
    expect(await done('verify', short, ...anchors)).toContain('input apart, output apart')
  })
})
