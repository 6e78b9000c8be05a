import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findNatsServer } from '@parley/nats-server'
import type { Bench, BenchOptions, BenchRow } from '../bench.ts'
import { compareLoad } from '../compare-load.ts'
import { standing } from './standing-figures.ts'
import { createParleyMesh } from '../hop/parley-mesh.ts'
import { startRemoteParley, type SagaContestant } from './contestants.ts'
import { decideSagaTargets } from './saga-targets.ts'
import { startLocalField, type Field } from './local-field.ts'
import { startBroker } from './start-broker.ts'
import type { TripEnd } from './trip.ts'

/** Durable sagas against durable engines, all of which sync to disk what they promise. */
export const sagaBench: Bench = {
  name: 'saga',
  about:
    'a saga of three steps: local ones, completed and rolled back at the third, against Restate and DBOS with PostgreSQL by ' +
    'their documented recipes; and ours with three signed remote ones, participants in processes of their own. Each syncs to disk ' +
    'before it answers: what is in force is read back and printed. The peers are installed at the first run. Effects are empty',
  libraries: ['@parley/saga'],
  defaultRounds: 3,
  defaultSeconds: 1,
  inFlight: [1, 16, 64],
  async run(options) {
    const binary = await findNatsServer({
      env: process.env,
      cacheDir: join(import.meta.dirname, '../../../.parley/cache'),
      log: options.log,
    })
    const dir = await mkdtemp(join(tmpdir(), 'parley-bench-saga-'))
    await using stack = new AsyncDisposableStack()
    stack.defer(() => rm(dir, { recursive: true, force: true }))
    const broker = stack.use(await startBroker(binary))
    const rows: BenchRow[] = []
    const field = stack.use(await startLocalField(dir, broker, options))
    for (const end of ['completed', 'undone'] as const) rows.push(...(await measurePart(end, field, options)))
    if (isAsked(options, remoteName)) {
      await using mesh = await createParleyMesh()
      await using remote = await startRemoteParley(mesh.dir, broker.url, 'completed')
      rows.push(...(await measureAll(`remote, completed`, [remote], options)))
    }
    for (const [part, measure] of Object.entries(standing))
      if (isAsked(options, part)) {
        options.log(part)
        rows.push({ part, ...(await measure(join(dir, part))) })
      }
    return { rows, targets: decideSagaTargets(rows) }
  },
}

const remoteName = 'parley, three participants'

async function measurePart(end: TripEnd, field: Field, options: BenchOptions): Promise<readonly BenchRow[]> {
  const part = `local, ${end}`
  await using stack = new AsyncDisposableStack()
  const { contestants, missing } = await field.start(end)
  for (const contestant of contestants) stack.use(contestant)
  const rows = contestants.length === 0 ? [] : await measureAll(part, contestants, options)
  return [...rows, ...missing.map(({ name, why }) => ({ part, contestant: name, missing: why }))]
}

async function measureAll(
  part: string,
  contestants: readonly SagaContestant[],
  options: BenchOptions,
): Promise<readonly BenchRow[]> {
  options.log(part)
  const rows = await compareLoad(contestants, options.inFlight, options)
  const said = new Map<unknown, string>()
  for (const contestant of contestants) said.set(contestant.name, await contestant.durability())
  return rows.map(({ callsPerSecond, callsPerSecondMin, callsPerSecondMax, cpuPerCallUs, ...row }) => ({
    part,
    ...row,
    sagasPerSecond: callsPerSecond ?? 0,
    sagasPerSecondMin: callsPerSecondMin ?? 0,
    sagasPerSecondMax: callsPerSecondMax ?? 0,
    cpuPerSagaUs: cpuPerCallUs ?? 0,
    durability: said.get(row['contestant']) ?? '',
  }))
}

/** Tells whether a contestant is to be measured. */
export function isAsked({ only }: Pick<BenchOptions, 'only'>, name: string): boolean {
  return only.length === 0 || only.includes(name)
}
