import type { Clock } from '@parley/ports'
import type { AgentName } from '@parley/protocol'
import type { FakeMesh } from './fake-mesh.fixture.ts'
import { createMemoryParticipant, type World } from './memory-participant.fixture.ts'
import { trips } from './trip-contract.fixture.ts'

/** What the agents of a test are told to do; by default everything works. */
export interface TripAgents {
  /** Names what `reserve` declines, as the input's `what`. */
  readonly declines: Set<string>
  /** Counts down the throws of a handler, by `what`. */
  readonly throws: Map<string, number>
  /** Counts down the throws of an undo, by key. */
  readonly undoThrows: Map<string, number>
  world(agent?: AgentName): World
}

/** Serves the trip contract at some agents, each with a database of its own; `pass` and `begun` are what `createMemoryParticipant` takes. */
export function serveTrips(
  mesh: FakeMesh,
  clock: Clock,
  agents: readonly AgentName[] = ['acme/trips'],
  pass?: () => void,
  begun?: World,
): TripAgents {
  const databases = new Map(agents.map((agent) => [agent, createMemoryParticipant(clock, pass, begun)]))
  const declines = new Set<string>()
  const throws = new Map<string, number>()
  const undoThrows = new Map<string, number>()
  const countDown = (counts: Map<string, number>, name: string): void => {
    const left = counts.get(name) ?? 0
    if (left === 0) return
    counts.set(name, left - 1)
    throw new Error(`${name} is broken`)
  }
  for (const [agent, { participant }] of databases) {
    const effect = (tx: World, key: string, value: unknown): void => {
      tx.effects.set(key, value)
      tx.log.push(`do ${key}`)
    }
    mesh.serve(
      agent,
      trips.reserve,
      participant.serve(trips.reserve, {
        lock: ({ what }) => (what.startsWith('seat-') ? what : undefined),
        do(tx, { what }, hop) {
          const key = hop.saga?.key ?? 'no saga'
          effect(tx, key, what)
          countDown(throws, what)
          if (declines.has(what)) {
            tx.effects.delete(key)
            tx.log.pop()
            return hop.decline('full', { seats: 0 })
          }
          return { ref: `ref-${what}` }
        },
        undo(tx, _done, hop) {
          const key = hop.saga?.key ?? ''
          tx.effects.delete(key)
          tx.log.push(`undo ${key}`)
          countDown(undoThrows, key)
        },
      }),
    )
    mesh.serve(
      agent,
      trips.charge,
      participant.serve(trips.charge, {
        do(tx, { amount }, hop) {
          effect(tx, hop.saga?.key ?? '', amount)
          countDown(throws, 'charge')
          return { receipt: amount }
        },
      }),
    )
    mesh.serve(
      agent,
      trips.mail,
      participant.serve(trips.mail, {
        do(tx, { text }, hop) {
          effect(tx, hop.saga?.key ?? '', text)
          countDown(throws, 'mail')
          return null
        },
      }),
    )
    mesh.serve(agent, trips.search, { do: ({ from, to }) => [`${from}-${to}`] })
  }
  return {
    declines,
    throws,
    undoThrows,
    world(agent = agents[0] ?? 'acme/trips') {
      const database = databases.get(agent)
      if (!database) throw new TypeError(`no agent ${agent}`)
      return database.world()
    },
  }
}
