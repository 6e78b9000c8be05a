import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { startBenchProcess, type BenchProcess } from '../bench-process.ts'
import type { Contestant } from '../contestant.ts'
import type { RunningPostgres } from './start-postgres.ts'
import type { RunningRestate } from './start-restate.ts'
import type { BenchBroker } from './bench-store.ts'
import { tripSteps, type TripEnd } from './trip.ts'

/** One that runs the measured saga, and can say how durably. */
export interface SagaContestant extends Contestant {
  durability(): Promise<string>
}

/** Starts ours with local steps: sagas in the SQLite file of the process, or in JetStream. */
export async function startParley(dir: string, end: TripEnd, broker?: BenchBroker): Promise<SagaContestant> {
  const name = broker ? 'parley on JetStream' : 'parley on SQLite'
  const own = join(dir, `${name}-${end}`.replaceAll(' ', '-'))
  await mkdir(own, { recursive: true })
  return startOne(name, 'parley-process.ts', [own, end, ...(broker ? [JSON.stringify(broker)] : [])])
}

/** Starts the same saga on a running Restate server. */
export function startRestateTrip(peers: string, end: TripEnd, { address }: RunningRestate): Promise<SagaContestant> {
  return startOne('restate', 'restate-process.ts', [peers, end, JSON.stringify(address)])
}

/** Starts the same saga with DBOS on a running PostgreSQL. */
export function startDbosTrip(peers: string, end: TripEnd, { socket }: RunningPostgres): Promise<SagaContestant> {
  return startOne('dbos', 'dbos-process.ts', [peers, end, socket])
}

/** Starts ours with three participants in processes of their own, over a broker. */
export async function startRemoteParley(dir: string, url: string, end: TripEnd): Promise<SagaContestant> {
  const participants: BenchProcess[] = []
  for (const step of tripSteps) participants.push(await startProcess('participant-process.ts', [url, dir, step]))
  const desk = await startProcess('remote-process.ts', [url, dir, end])
  const all = [desk, ...participants]
  const cpuMs = async (): Promise<number> => {
    const facts = await Promise.all(all.map((one) => one.facts()))
    return facts.reduce((sum, one) => sum + one.cpuMs, 0)
  }
  return {
    name: 'parley, three participants',
    async measure(inFlight, durationMs) {
      const beforeMs = await cpuMs()
      const load = await desk.measure(inFlight, durationMs)
      return { ...load, cpuMs: (await cpuMs()) - beforeMs }
    },
    async durability() {
      const [participant] = participants
      return `${await desk.describe()}; participants: ${(await participant?.describe()) ?? ''}`
    },
    async [Symbol.asyncDispose]() {
      for (const one of all) await one[Symbol.asyncDispose]()
    },
  }
}

function startProcess(script: string, args: readonly string[]): Promise<BenchProcess> {
  return startBenchProcess(join(import.meta.dirname, script), args)
}

async function startOne(name: string, script: string, args: readonly string[]): Promise<SagaContestant> {
  const process = await startProcess(script, args)
  return {
    name,
    async measure(inFlight, durationMs) {
      const { cpuMs } = await process.facts()
      const load = await process.measure(inFlight, durationMs)
      return { ...load, cpuMs: (await process.facts()).cpuMs - cpuMs }
    },
    durability: () => process.describe(),
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  }
}
