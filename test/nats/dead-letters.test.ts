import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exitCodes } from '@parley/cli'
import { openFileIssuer, parseAnchor } from '@parley/identity'
import { createNode, deadLetterContract, defineContract, serveDeadLetters, type MeshNode } from '@parley/mesh'
import { findNatsServer, startNatsServer, type RunningNatsServer } from '@parley/nats-server'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runCaptured, type CliRun } from '../integration/captured-cli.ts'

const rooms = defineContract('rooms', {
  reserve: { input: z.object({ guest: z.string() }), output: z.object({ room: z.number() }), risk: 'irreversible' },
})

let folder: string
let server: RunningNatsServer
let hotel: MeshNode
let desk: MeshNode
let isBroken = true
const at = (...names: readonly string[]): string => join(folder, ...names)
const run = (...args: readonly string[]): Promise<CliRun> => runCaptured(args, { NATS_URL: server.url })
const value = async (...args: readonly string[]): Promise<Record<string, unknown>> =>
  JSON.parse((await run(...args, '--json')).out) as Record<string, unknown>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-letters-'))
  const cacheDir = join(import.meta.dirname, '../../.parley/cache')
  server = await startNatsServer({ binary: await findNatsServer({ env: process.env, cacheDir }) })
  for (const alias of ['acme', 'staff']) await value('issuer', 'init', at(alias), '--alias', alias)
  const { did } = await value('keys', 'init', at('ann.key'))
  const asked = ['--issuer', at('staff'), '--instance', String(did), '--human', '2', '--calls', 'dead-letters:*']
  await writeFile(at('ann.json'), JSON.stringify(await value('credential', 'issue', 'staff/ann', ...asked)))
  const ports = { clock: createSystemClock(), random: createSystemRandom() }
  const issuer = await openFileIssuer({ dir: at('acme'), ...ports })
  const staff = await openFileIssuer({ dir: at('staff'), ...ports })
  const common = { issuer, anchors: [issuer.anchor, parseAnchor(staff.anchor)], nats: server.url } as const
  hotel = await createNode({
    ...common,
    name: 'acme/hotel',
    data: at('hotel.sqlite'),
    serves: [rooms, deadLetterContract],
  })
  hotel.serve(rooms, {
    reserve: {
      do: (_input, hop) => (isBroken ? hop.fail() : { room: 7 }),
      lookup: () => ({ found: 'absent' }),
    },
  })
  hotel.serve(deadLetterContract, serveDeadLetters(hotel))
  desk = await createNode({ ...common, name: 'acme/desk', calls: rooms.capabilities })
  await Promise.all([hotel.start(), desk.start()])
})
afterAll(async () => {
  await Promise.all([hotel.close(), desk.close()])
  await server.stop()
  await rm(folder, { recursive: true })
})

describe('parley dead-letters', () => {
  it('lists, shows, replays and drops what a running agent could not serve, for a person', async () => {
    for (const key of ['trip/room', 'trip/\u001b[2Jother', 'trip/last'])
      for (let attempt = 1; attempt <= 3; attempt++)
        await desk.tryCall(
          rooms.reserve,
          { guest: 'ann' },
          {
            to: 'acme/hotel',
            saga: { id: 'trip', step: 'room', attempt, epoch: 1, key, phase: 'do', expiresAtMs: Date.now() + 60_000 },
          },
        )
    const anchors = ['--anchor', at('acme/anchor.json'), '--anchor', at('staff/anchor.json')]
    const live = ['--agent', 'acme/hotel', '--credential', at('ann.json'), '--key', at('ann.key'), ...anchors]
    const listed = await run('dead-letters', 'list', ...live)
    expect(listed).toMatchObject({ code: exitCodes.ok, err: '' })
    expect(listed.out).toMatch(/^[\w-]{22} {2}rooms:reserve {2}contract\.handler-failed\n {2}from {5}acme\/desk/)
    expect(listed.out).toContain('key trip/\\u001b[2Jother')
    const { letters } = (await value('dead-letters', 'list', ...live)) as {
      readonly letters: { readonly id: string }[]
    }
    const [first = '', second = '', last = ''] = letters.map(({ id }) => id)
    expect((await run('dead-letters', 'show', first, ...live)).out).toContain('  input    {"guest":"ann"}\n')
    expect(await run('dead-letters', 'replay', first, ...live)).toMatchObject({
      code: exitCodes.failure,
      out: `${first} ended failed: contract.handler-failed\n`,
    })
    isBroken = false
    expect(await value('dead-letters', 'replay', first, ...live)).toEqual({ replay: { id: first, outcome: 'ok' } })
    expect(await run('dead-letters', 'drop', second, ...live)).toMatchObject({ code: exitCodes.ok })
    expect(await value('dead-letters', 'list', ...live)).toMatchObject({ letters: [{ id: last }] })
    expect(await run('dead-letters', 'drop', second, ...live)).toMatchObject({
      code: exitCodes.no,
      out: 'declined unknown: the agent keeps nothing by that id\n',
    })

    await hotel.close()
    const stopped = ['--data', at('hotel.sqlite')]
    expect(await value('dead-letters', 'list', ...stopped)).toMatchObject({ letters: [{ id: last }] })
    expect((await run('dead-letters', 'show', last, ...stopped)).out).toContain('  input    {"guest":"ann"}\n')
    expect(await run('dead-letters', 'drop', last, ...stopped)).toMatchObject({ code: exitCodes.ok })
    expect(await run('dead-letters', 'drop', last, ...stopped)).toMatchObject({ code: exitCodes.no })
    expect((await run('dead-letters', 'list', ...stopped)).out).toMatch(/^no dead letters in /)
  })
})
