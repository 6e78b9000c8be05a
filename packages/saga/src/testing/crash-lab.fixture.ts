import type { Store } from '@parley/ports'
import type { SagaDefinition } from '../definition/define-saga.ts'
import { createSagas } from '../runner/create-sagas.ts'
import type { SagaView } from '../runner/describe-saga.ts'
import { createFakeMesh, type CallOnTheWay } from './fake-mesh.fixture.ts'
import { createInstantClock } from './instant-clock.fixture.ts'
import { createWorld, type World } from './memory-participant.fixture.ts'
import { createMemoryStore, type MemoryContents, type MemoryStore } from './memory-store.fixture.ts'
import { serveTrips, type TripAgents } from './trip-agents.fixture.ts'
import type { Trip } from './trip-contract.fixture.ts'

// I1 What a dead orchestrator leaves is its store, the participant's database, the time, and what it sent that has not
//    been done yet: nothing else reaches the next life.
// I2 What follows from a death follows from what it leaves. So one life that nobody disturbs shows what every death of its
//    orchestrator leaves, and of two deaths that leave the same, to the byte, one is followed.

/** What one life came to. */
export interface CrashedSaga {
  readonly view: SagaView
  readonly world: World
}

/** How many deaths were tried, and how many lives had to be lived for it. */
export interface CrashCount {
  /** Each is a choice of points to die at, none included. */
  readonly schedules: number
  readonly lives: number
}

/** What the deaths so far left. */
interface Remains {
  readonly deaths: number
  readonly nowMs: number
  readonly contents: MemoryContents
  readonly world: World
  /** Sent, and not done: it arrives although its sender is gone. */
  readonly underWay: readonly CallOnTheWay[]
}

/** A point at which somebody may die: the orchestrator, leaving `remains`, or, without them, the participant. */
interface CrashPoint {
  readonly remains?: Remains
}

/** Short, so that few looks pass until the next life takes over. */
const leaseMs = 100

const startMs = Date.UTC(2026, 0, 1)

/** One is enough: nobody looks where it came from. */
const crash = new Error('the participant died')

/**
 * Runs a saga with every choice of up to `deaths` points at which processes die: the orchestrator before or after a journal
 * append, before a command leaves, before its reply is heard; the participant before its transaction, before its commit,
 * after it. An orchestrator that died hears and writes nothing any more; the next one has only the store. What a
 * participant was doing when it died is unknown to its caller; its next life has only the database. `check` sees how each
 * life ends that nobody else's death ends.
 */
export async function crashEverywhere(
  definition: SagaDefinition<Trip>,
  deaths: number,
  prepare: (agents: TripAgents) => void,
  check: (crashed: CrashedSaga) => void,
): Promise<CrashCount> {
  const followed = new Map<string, number>()
  let lives = 0
  /** Counts the schedules that begin like this: the participant dies at `strikes`, and `left` more deaths come later. */
  const follow = async (from: Remains, left: number, strikes: readonly number[] = []): Promise<number> => {
    const { points, ...ended } = await live(definition, from, strikes, left > 0, prepare)
    lives++
    check(ended)
    let schedules = 1
    if (left === 0) return schedules
    for (let at = (strikes.at(-1) ?? -1) + 1; at < points.length; at++) {
      const remains = points[at]?.remains
      schedules += remains ? await followOnce(remains, left - 1) : await follow(from, left - 1, [...strikes, at])
    }
    return schedules
  }
  const followOnce = async (remains: Remains, left: number): Promise<number> => {
    const likeness = `${left} ${describe(remains)}`
    const known = followed.get(likeness) ?? (await follow(remains, left))
    followed.set(likeness, known)
    return known
  }
  const nothing: Remains = {
    deaths: 0,
    nowMs: startMs,
    contents: { streams: new Map(), removed: new Map(), values: new Map() },
    world: createWorld(),
    underWay: [],
  }
  const schedules = await follow(nothing, deaths)
  return { schedules, lives }
}

/** One life of an orchestrator, to the end of its saga; the participant dies at the points `strikes`. */
async function live(
  definition: SagaDefinition<Trip>,
  from: Remains,
  strikes: readonly number[],
  /** Whether anybody wants to know what its death would leave. */
  looksBack: boolean,
  prepare: (agents: TripAgents) => void,
): Promise<CrashedSaga & { readonly points: readonly CrashPoint[] }> {
  const clock = createInstantClock(from.nowMs)
  const mesh = createFakeMesh()
  const points: CrashPoint[] = []
  const agents = serveTrips(
    mesh,
    clock,
    undefined,
    () => {
      points.push({})
      if (strikes.includes(points.length - 1)) throw crash
    },
    from.world,
  )
  prepare(agents)
  const store = createMemoryStore(from.contents)
  const underWay = new Set<CallOnTheWay>()
  const pass = (): void => {
    if (!looksBack) return
    const left = { nowMs: clock.now(), contents: store.contents(), world: agents.world(), underWay: [...underWay] }
    points.push({ remains: { deaths: from.deaths + 1, ...left } })
  }
  const node = mesh.createNode({
    name: 'acme/travel',
    instance: `did:key:zLife${from.deaths + 1}`,
    clock,
    store: withPoints(store, pass),
    around: async (call, deliver) => {
      pass()
      underWay.add(call)
      const outcome = await deliver()
      underWay.delete(call)
      pass()
      return outcome
    },
  })
  for (const call of from.underWay) void mesh.deliver('acme/travel', call)
  const sagas = createSagas(node, { definitions: [definition], leaseMs })
  await sagas.resume()
  const run = await sagas.start(definition, { from: 'SFO', to: 'LIS' }, { id: 'trip-1' })
  const view = await run.settled()
  const world = agents.world()
  await sagas.close()
  return { view, world, points }
}

function withPoints(store: MemoryStore, pass: () => void): Store {
  return {
    ...store,
    journal: {
      ...store.journal,
      async append(stream, expectedLast, entries) {
        pass()
        const position = await store.journal.append(stream, expectedLast, entries)
        pass()
        return position
      },
    },
  }
}

/** All of it, as a text. */
function describe({ deaths, nowMs, contents, world, underWay }: Remains): string {
  const { epochs, rows, closed, locks, effects, log } = world
  const streams = [...contents.streams].map(([name, entries]) => [name, Buffer.concat(entries).toString('latin1')])
  const values = [...contents.values.values()].map(({ value, ...rest }) => ({ ...rest, value: [...value] }))
  const database = [[...epochs], [...rows], [...closed], [...locks], [...effects], log]
  return JSON.stringify([deaths, nowMs, streams, values, database, underWay])
}
