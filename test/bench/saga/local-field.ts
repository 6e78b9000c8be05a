import type { BenchOptions } from '../bench.ts'
import type { BenchBroker } from './bench-store.ts'
import { startDbosTrip, startParley, startRestateTrip, type SagaContestant } from './contestants.ts'
import { installPeers } from './install-peers.ts'
import { startPostgres } from './start-postgres.ts'
import { startRestate } from './start-restate.ts'
import type { TripEnd } from './trip.ts'

/** One that could not be measured on this machine, and why. */
export interface MissingContestant {
  readonly name: string
  readonly why: string
}

/** The engines that sagas with local steps are measured on. */
export interface Field extends AsyncDisposable {
  /** Starts the saga, with one end, on all of them. */
  start(end: TripEnd): Promise<{
    readonly contestants: readonly SagaContestant[]
    readonly missing: readonly MissingContestant[]
  }>
}

type Start = (end: TripEnd) => Promise<SagaContestant>

/** Starts the servers that the contestants need. One that cannot be had is missing, with the reason, and never replaced. */
export async function startLocalField(dir: string, broker: BenchBroker, { only, log }: BenchOptions): Promise<Field> {
  const stack = new AsyncDisposableStack()
  const missing: MissingContestant[] = []
  const starts: Start[] = []
  const enter = async (name: string, prepare: () => Promise<Start>): Promise<void> => {
    if (only.length > 0 && !only.includes(name)) return
    try {
      starts.push(await prepare())
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      log(`${name} is missing: ${why}`)
      missing.push({ name, why })
    }
  }
  await enter('parley on SQLite', async () => (end) => startParley(dir, end))
  await enter('parley on JetStream', async () => (end) => startParley(dir, end, broker))
  await enter('restate', async () => {
    const peers = await installPeers(log)
    const restate = stack.use(await startRestate(peers, dir))
    return (end) => startRestateTrip(peers, end, restate)
  })
  await enter('dbos', async () => {
    const peers = await installPeers(log)
    const postgres = stack.use(await startPostgres())
    return (end) => startDbosTrip(peers, end, postgres)
  })
  return {
    async start(end) {
      const contestants: SagaContestant[] = []
      for (const start of starts) contestants.push(await start(end))
      return { contestants, missing }
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
