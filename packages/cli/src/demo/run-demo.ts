import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findNatsServer, startNatsServer } from '@parley/nats-server'
import { createSeededRandom, type Random } from '@parley/ports'
import { judgeAct, type Act, type ActResult, type Fact, type Play } from './act.ts'
import { acts } from './acts/acts.ts'
import { startCast } from './cast.ts'
import { createDemoFence } from './demo-fence.ts'
import { watchInterruption } from '../interruption.ts'
import { createPlaybill, type Playbill } from './playbill.ts'
import { readTrips, type Trip } from './trip/trip.ts'

/** How the demo is run. */
export interface DemoOptions {
  /** Shuffles the trips and draws where the logs are falsified; drawn and printed if left out. */
  readonly seed?: number
  /** Prints one object on standard output and the progress on standard error. */
  readonly json: boolean
  /** Uses no colours, also on a terminal. */
  readonly noColour: boolean
  /** Where a fetched nats-server is kept; default `.parley/cache` of the working folder. */
  readonly cacheDir?: string
}

const maxSeed = 1_000_000

/**
 * Runs eight acts on a real nats-server and six processes, and checks each against databases and audit logs. Returns the
 * exit code: 0 if everything holds, 1 if not, 128 + the signal that ended it early. Nothing that it started is left.
 * Rejects with `nats-server.not-found`, whose message says what to do, and with `nats-server.start-failed`.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const playbill = createPlaybill(options.json ? process.stderr : process.stdout, options.noColour)
  const interruption = watchInterruption()
  const endings = createEndings()
  try {
    const results = await Promise.race([interruption.interrupted, perform(options, playbill, endings.add)])
    if (typeof results === 'number') return results
    playbill.table(results)
    if (options.json) process.stdout.write(`${formatResults(results)}\n`)
    return results.every(({ holds }) => holds) ? 0 : 1
  } finally {
    await endings.run()
    interruption.stop()
  }
}

/** Sets the stage and performs. Whatever is started tells `atEnd` how it is ended. */
async function perform(
  { seed = Math.floor(Math.random() * maxSeed), cacheDir = join('.parley', 'cache') }: DemoOptions,
  playbill: Playbill,
  atEnd: (end: () => Promise<void>) => void,
): Promise<readonly ActResult[]> {
  const binary = await findNatsServer({ env: process.env, cacheDir, log: playbill.line })
  const folder = await mkdtemp(join(tmpdir(), 'parley-demo-'))
  // Also if somebody ends this process without waiting, for instance because its output is closed.
  const tidy = (): void => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  process.once('exit', tidy)
  atEnd(async () => {
    process.off('exit', tidy)
    tidy()
  })
  const fence = await createDemoFence(join(folder, 'broker'))
  const server = await startNatsServer({ binary, config: fence.config })
  atEnd(() => server.stop())
  playbill.line(`nats-server ${binary.version} from ${binary.source}, SHA-256 ${binary.sha256}`)
  for (const warning of binary.warnings) playbill.line(`warning: ${warning}`)
  playbill.line(`seed ${seed}, nats-server at ${server.url}`)
  const cast = await startCast({ folder, natsUrl: server.url, fence, onRecord: playbill.record, atEnd })
  const random = createSeededRandom(seed)
  const takeTrip = createTrips(random)
  const results: ActResult[] = []
  for (const act of acts) {
    playbill.act(act.name)
    results.push(judgeAct(act.name, await playAct(act, { cast, random, takeTrip })))
  }
  return results
}

/** Plays an act; one that breaks does not hold, and the next ones are played all the same. */
async function playAct(act: Act, play: Play): Promise<readonly Fact[]> {
  try {
    return await act.perform(play)
  } catch (error) {
    return [{ expected: 'played to its end', seen: error instanceof Error ? error.message : 'broken' }]
  }
}

/** Collects what has to be ended, the last first. What comes when all is over is ended at once. */
function createEndings(): { readonly add: (end: () => Promise<void>) => void; readonly run: () => Promise<void> } {
  const endings: (() => Promise<void>)[] = []
  let isOver = false
  return {
    add(end) {
      if (isOver) void end()
      else endings.push(end)
    },
    async run() {
      isOver = true
      for (const end of endings.reverse()) await end()
    },
  }
}

/** Shuffles the trip requests (Fisher-Yates) and hands them out one by one. */
function createTrips(random: Random): (fits: (trip: Trip) => boolean) => Trip {
  const trips = [...readTrips()]
  for (let last = trips.length - 1; last > 0; last--) {
    const other = Math.floor(random.float() * (last + 1))
    const [one, two] = [trips[last], trips[other]]
    if (one && two) [trips[last], trips[other]] = [two, one]
  }
  return (fits) => {
    const at = trips.findIndex(fits)
    const [trip] = at === -1 ? [] : trips.splice(at, 1)
    if (!trip) throw new RangeError('trips.json has too few trips of a kind that an act needs')
    return trip
  }
}

function formatResults(results: readonly ActResult[]): string {
  const told = results.map(({ name, facts, holds }) => ({
    name,
    expected: facts.map(({ expected }) => expected).join('; '),
    seen: facts.map(({ seen }) => seen).join('; '),
    holds,
  }))
  return JSON.stringify({ acts: told })
}
