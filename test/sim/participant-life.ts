import type { DatabaseSync } from 'node:sqlite'
import { createNode, type ContractCapability, type MeshNode, type UndoableServe } from '@parley/mesh'
import type { Inbox, InboxCommand } from '@parley/ports'
import type { AgentName } from '@parley/protocol'
import { createParticipant } from '@parley/saga'
import { openSqliteInbox } from '@parley/store-sqlite'
import type { SimDisk, SimProcess } from '@parley/testkit'
import { trips } from './trip-contract.ts'
import type { NodePorts } from './node-ports.ts'
import type { SeenHop, Told, Witness } from './witness.ts'

/** How a participant behaves in one run. */
export interface Temper {
  /** Probabilities, for each command. */
  readonly declines: number
  readonly throws: number
  readonly dawdles: number
  /** How long it dawdles at most, in milliseconds. */
  readonly dawdleMs: number
}

/** What outlives a participant's process. */
export interface ParticipantMemory {
  readonly name: AgentName
  readonly db: DatabaseSync
  readonly disk: SimDisk
}

interface Tx {
  readonly db: DatabaseSync
  readonly told: Told[]
}

/** Begins one life of a participant: the shipped node, participant and inbox over a database that was there before. */
export async function liveParticipant(
  process: SimProcess,
  { name, db, disk }: ParticipantMemory,
  world: { readonly ports: NodePorts; readonly witness: Witness; readonly temper: () => Temper },
): Promise<MeshNode> {
  const { witness } = world
  // What the life before left open was never committed.
  if (db.isTransaction) db.exec('ROLLBACK')
  let last: Promise<unknown> = Promise.resolve()
  const transaction = <Result>(work: (tx: Tx) => Result | Promise<Result>): Promise<Result> => {
    const current = last.then(async () => {
      await process.pass('before it begins an effect')
      db.exec('BEGIN IMMEDIATE')
      const told: Told[] = []
      try {
        const result = await work({ db, told })
        await process.pass('before it commits an effect')
        db.exec('COMMIT')
        witness.committed(name, told)
        for (const one of told) if (one.kind !== 'seen') process.note(`${one.kind} ${one.key} (epoch ${one.epoch})`)
        return result
      } catch (error) {
        db.exec('ROLLBACK')
        throw error
      } finally {
        await process.pass('after an effect')
      }
    })
    last = current.catch(() => undefined)
    return current
  }
  const sqlite = openSqliteInbox(db)
  const seen = (tx: Tx, command: InboxCommand): DatabaseSync => {
    tx.told.push({ kind: 'seen', ...command })
    return tx.db
  }
  const inbox: Inbox<Tx> = {
    begin: (tx, command) => sqlite.begin(seen(tx, command), command),
    settle: (tx, command, outcome) => sqlite.settle(tx.db, command, outcome),
    undo: (tx, command) => sqlite.undo(seen(tx, command), command),
    lookup: (tx, command) => sqlite.lookup(seen(tx, command), command),
    close: (tx, command) => sqlite.close(seen(tx, command), command),
  }
  const participant = createParticipant<Tx>({ inbox, transaction, clock: process.clock })
  const chance = (share: number): boolean => process.random.float() < share
  const work = async (hop: SeenHop): Promise<void> => {
    const { dawdles, dawdleMs, throws } = world.temper()
    if (chance(dawdles)) await process.wait(process.random.float() * dawdleMs, () => undefined)
    if (chance(throws)) throw new Error(`${hop.capability} is broken`)
  }
  const tell = (tx: Tx, kind: 'do' | 'undo', { saga }: SeenHop): void => {
    if (saga)
      tx.told.push({ kind, saga: saga.id, key: saga.key, epoch: saga.epoch, step: saga.step, attempt: saga.attempt })
  }
  const watch = <Input, Result, Declared>(
    capability: ContractCapability,
    serves: UndoableServe<Input, Result, Declared>,
  ): UndoableServe<Input, Result, Declared> => {
    const ran = (hop: SeenHop): void =>
      witness.ran({ life: process.id, nowMs: process.clock.now(), risk: capability.risk, hop })
    const { undo, lookup } = serves
    return {
      do(input, hop) {
        ran(hop)
        return serves.do(input, hop)
      },
      ...(undo && {
        undo(input, hop) {
          ran(hop)
          return undo(input, hop)
        },
      }),
      ...(lookup && {
        lookup(hop) {
          ran(hop)
          return lookup(hop)
        },
      }),
    }
  }
  const node = await createNode({
    ...world.ports(process, disk.open(process)),
    name,
    serves: [trips],
  })
  node.serve(trips, {
    reserve: watch(
      trips.reserve,
      participant.serve(trips.reserve, {
        async do(tx, { what }, hop) {
          await work(hop)
          if (chance(world.temper().declines)) return hop.decline('full', {})
          tell(tx, 'do', hop)
          return { what, by: name }
        },
        async undo(tx, _done, hop) {
          await work(hop)
          tell(tx, 'undo', hop)
        },
      }),
    ),
    charge: watch(
      trips.charge,
      participant.serve(trips.charge, {
        async do(tx, { what }, hop) {
          await work(hop)
          if (chance(world.temper().declines)) return hop.decline('declined', {})
          tell(tx, 'do', hop)
          return { what, by: name }
        },
      }),
    ),
    mail: watch(
      trips.mail,
      participant.serve(trips.mail, {
        async do(tx, { what }, hop) {
          await work(hop)
          tell(tx, 'do', hop)
          return { what, by: name }
        },
      }),
    ),
    search: watch(trips.search, { do: ({ what }) => ({ what, by: name }) }),
  })
  await node.start()
  return node
}
