import { rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { initFileIssuer } from '@parley/identity'
import { createSystemClock, createSystemRandom, type Store } from '@parley/ports'
import { isMeshError } from '@parley/protocol'
import { openSqliteStore } from '@parley/store-sqlite'
import { participants } from '../sim/draw-saga.ts'
import type { SafeguardName } from '../sim/safeguards.ts'
import { openSharedStore, startBroker } from './broker.ts'
import { drawPlan, type ChaosPlan } from './chaos-plan.ts'
import { checkRun } from './check-run.ts'
import { readFacts } from './read-facts.ts'
import { trespass } from './rival.ts'
import type { RunFacts } from './run-facts.ts'
import { databaseFile, issuerFolder } from './setup.ts'
import { createSupervisor, type Supervisor } from './supervisor.ts'

/** What one run came to. */
export interface RunReport {
  readonly plan: ChaosPlan
  readonly ends: ReadonlyMap<string, string>
  /** What was done to it, and what was refused, by name. */
  readonly counts: Readonly<Record<string, number>>
  readonly violations: readonly string[]
  readonly tookMs: number
  /** Where databases, journals and the log are kept, if they are. */
  readonly kept?: string
}

/** After the faults, how long every saga may take to end or to say what it waits for. */
const patienceMs = 60_000
const pollMs = 100
/** What is still on its way may arrive. */
const lateMs = 300

/** Runs sagas in real processes while these and the broker are killed and stopped, and checks what is left. */
export async function runSagas(
  seed: number,
  { keeps = false, safeguard }: { readonly keeps?: boolean; readonly safeguard?: SafeguardName } = {},
): Promise<RunReport> {
  const plan = drawPlan(seed)
  const startedAtMs = performance.now()
  const folder = await mkdtemp(join(tmpdir(), 'parley-chaos-'))
  const tidy = (): void => rmSync(folder, { recursive: true, force: true })
  // There are keys in it: it goes, also when somebody has had enough.
  process.once('exit', tidy)
  const clock = createSystemClock()
  await initFileIssuer({ dir: issuerFolder(folder), alias: 'acme', clock, random: createSystemRandom() })
  const broker = await startBroker(plan.stage)
  const supervisor = createSupervisor({ plan, folder, broker, ...(safeguard && { safeguard }) })
  const violations: string[] = []
  let facts: RunFacts = { sagas: [], effects: [] }
  try {
    await supervisor.startAll()
    const { acknowledged } = await drive(plan, supervisor, folder, broker.urls, violations)
    await supervisor.closeAll()
    const store = await reopen(plan, folder, broker.urls)
    const started = plan.sagas.map(({ id }) => ({ id, acknowledged: acknowledged.has(id) }))
    facts = await readFacts(store, folder, participants, started)
    await store.close()
  } catch (error) {
    violations.push(`the run broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  } finally {
    await supervisor.killAll()
    await broker.stop()
  }
  const verdict = checkRun(facts)
  violations.push(...supervisor.violations, ...verdict.violations)
  const isKept = keeps || violations.length > 0
  process.off('exit', tidy)
  if (isKept) await keep(folder, plan, facts, violations, supervisor.log)
  else tidy()
  return {
    plan,
    ends: verdict.ends,
    counts: supervisor.counts,
    violations,
    tookMs: performance.now() - startedAtMs,
    ...(isKept && { kept: folder }),
  }
}

/** Starts every saga, lets the faults happen, and waits for every end. */
async function drive(
  plan: ChaosPlan,
  supervisor: Supervisor,
  folder: string,
  urls: readonly string[],
  violations: string[],
): Promise<{ readonly acknowledged: ReadonlySet<string> }> {
  const acknowledged = new Set<string>()
  const deadline = AbortSignal.timeout(plan.faultyMs + patienceMs)
  const client = async (id: string, dueMs: number): Promise<void> => {
    await delay(dueMs)
    for (let at = plan.sagas.findIndex((saga) => saga.id === id); !deadline.aborted; at++) {
      // A start that was not acknowledged is asked for again, wherever somebody is there: it is idempotent.
      const answered = await supervisor.ask(plan.desks[at % plan.desks.length] ?? '', 'start', id, 2_000)
      if (answered) {
        acknowledged.add(id)
        return
      }
      await delay(pollMs)
    }
    violations.push(`nobody acknowledged the start of ${id}`)
  }
  const intrude = async (atMs: number): Promise<void> => {
    await delay(atMs)
    try {
      const { undos, achieved } = await trespass(plan, folder, urls, participants, (name) => supervisor.lifeOf(name))
      supervisor.count('foreign undos', undos)
      violations.push(...achieved)
    } catch (error) {
      // The broker may be gone just now: then it achieved nothing either.
      if (!isMeshError(error)) throw error
      supervisor.note(`the rival fails: ${error.code}`)
      supervisor.count('rivals that met no broker')
    }
  }
  const clients = Promise.all(plan.sagas.map(({ id, dueMs }) => client(id, dueMs)))
  const intruders = Promise.all(plan.trespasses.map(intrude))
  await Promise.all([delay(plan.faultyMs), ...plan.faults.map((fault) => supervisor.strike(fault))])
  await supervisor.heal()
  await Promise.all([clients, intruders])
  const missing = (): readonly string[] => plan.sagas.flatMap(({ id }) => (supervisor.ended.has(id) ? [] : [id]))
  for (let polls = 1; missing().length > 0 && !deadline.aborted; polls++) {
    await delay(pollMs)
    // Whoever ended it may have died before it could say so.
    if (polls % 10 !== 0) continue
    for (const id of missing()) await supervisor.ask(plan.desks[0] ?? '', 'look', id, 2_000)
  }
  await delay(lateMs)
  return { acknowledged }
}

async function reopen(plan: ChaosPlan, folder: string, urls: readonly string[]): Promise<Store> {
  if (plan.stage !== 'sqlite') return openSharedStore(urls, plan.stage)
  return openSqliteStore({ path: databaseFile(folder, plan.desks[0] ?? '') })
}

async function keep(
  folder: string,
  plan: ChaosPlan,
  facts: RunFacts,
  violations: readonly string[],
  log: readonly string[],
): Promise<void> {
  const journals = facts.sagas.flatMap(({ id, events }) => events.map((event) => JSON.stringify({ saga: id, event })))
  await writeFile(join(folder, 'journals.jsonl'), `${journals.join('\n')}\n`)
  await writeFile(join(folder, 'plan.json'), `${JSON.stringify(plan, undefined, 2)}\n`)
  await writeFile(join(folder, 'log.txt'), `${log.join('\n')}\n`)
  await writeFile(join(folder, 'violations.txt'), `${violations.join('\n')}\n`)
}
