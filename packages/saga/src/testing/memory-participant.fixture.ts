import type { Clock, Inbox, InboxCommand, InboxOutcome, TargetLocks } from '@parley/ports'
import { createParticipant } from '../participant/create-participant.ts'
import type { Participant } from '../participant/participant.ts'

/** What a participant's database holds: everything that a transaction commits or rolls back. */
export interface World {
  readonly epochs: Map<string, number>
  readonly rows: Map<string, InboxOutcome | 'tombstone'>
  /** Sagas that are over. */
  readonly closed: Set<string>
  /** Until when a key has a target, by both. */
  readonly locks: Map<string, { readonly target: string; readonly saga: string; readonly untilMs: number }>
  /** Effects that stand, by key. */
  readonly effects: Map<string, unknown>
  /** What was ever done and undone, in order, as `do key` and `undo key`. */
  readonly log: string[]
}

/** A participant over a database in memory. */
export interface MemoryParticipant {
  readonly participant: Participant<World>
  /** What is committed; no later transaction changes it. */
  world(): World
}

/**
 * Creates a participant whose transactions are copies that replace the database when they succeed. `pass` is called before
 * a transaction begins, before it commits and after: a throw is the death of the participant's process there.
 */
export function createMemoryParticipant(
  clock: Clock,
  pass: () => void = () => undefined,
  begun: World = createWorld(),
): MemoryParticipant {
  let world = begun
  let last: Promise<unknown> = Promise.resolve()
  const transaction = <T>(run: (tx: World) => T | Promise<T>): Promise<T> => {
    const current = last.then(async () => {
      pass()
      const tx: World = {
        epochs: new Map(world.epochs),
        rows: new Map(world.rows),
        closed: new Set(world.closed),
        locks: new Map(world.locks),
        effects: new Map(world.effects),
        log: [...world.log],
      }
      const result = await run(tx)
      pass()
      world = tx
      pass()
      return result
    })
    last = current.catch(() => undefined)
    return current
  }
  return { participant: createParticipant({ inbox, locks, transaction, clock }), world: () => world }
}

/** Makes an empty database. */
export function createWorld(): World {
  return {
    epochs: new Map(),
    rows: new Map(),
    closed: new Set(),
    locks: new Map(),
    effects: new Map(),
    log: [],
  }
}

const sagaOf = (command: InboxCommand): string => `${command.owner} ${command.name} ${command.saga}`
const rowOf = (command: InboxCommand): string => `${sagaOf(command)} ${command.key}`

/** Raises the epoch; returns the higher one that was seen before, if any. */
function findHigher(tx: World, command: InboxCommand): number | undefined {
  const seen = tx.epochs.get(sagaOf(command)) ?? 0
  if (seen > command.epoch) return seen
  tx.epochs.set(sagaOf(command), command.epoch)
  return undefined
}

const inbox: Inbox<World> = {
  begin(tx, command) {
    const higher = findHigher(tx, command)
    if (higher !== undefined) return { kind: 'stale-epoch', epoch: higher }
    if (tx.closed.has(sagaOf(command))) return { kind: 'closed' }
    const row = tx.rows.get(rowOf(command))
    if (row === undefined) return { kind: 'new' }
    return row === 'tombstone' ? { kind: 'tombstone' } : { kind: 'known', outcome: row }
  },
  settle(tx, command, outcome) {
    tx.rows.set(rowOf(command), outcome)
  },
  undo(tx, command) {
    const higher = findHigher(tx, command)
    if (higher !== undefined) return { kind: 'stale-epoch', epoch: higher }
    if (tx.closed.has(sagaOf(command))) return { kind: 'closed' }
    const row = tx.rows.get(rowOf(command))
    tx.rows.set(rowOf(command), 'tombstone')
    if (row === undefined || row === 'tombstone' || row.kind !== 'ok') return { kind: 'nothing' }
    return { kind: 'undo', outcome: row }
  },
  lookup(tx, command) {
    return inbox.begin(tx, command)
  },
  close(tx, command) {
    const higher = findHigher(tx, command)
    if (higher !== undefined) return { kind: 'stale-epoch', epoch: higher }
    tx.closed.add(sagaOf(command))
    for (const row of tx.rows.keys()) if (row.startsWith(`${sagaOf(command)} `)) tx.rows.delete(row)
    return { kind: 'closed' }
  },
}

const locks: TargetLocks<World> = {
  take(tx, command, target, { nowMs, untilMs }) {
    const saga = sagaOf(command)
    const holder = [...tx.locks.values()].find(
      (lock) => lock.target === target && lock.saga !== saga && lock.untilMs > nowMs,
    )
    if (holder) return { kind: 'held', untilMs: holder.untilMs }
    tx.locks.set(`${rowOf(command)} ${target}`, { target, saga, untilMs })
    return { kind: 'taken' }
  },
  release(tx, command) {
    for (const name of tx.locks.keys()) if (name.startsWith(`${rowOf(command)} `)) tx.locks.delete(name)
  },
  releaseSaga(tx, command) {
    for (const [name, { saga }] of tx.locks) if (saga === sagaOf(command)) tx.locks.delete(name)
  },
}
