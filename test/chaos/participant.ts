import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { openFileIssuer } from '@parley/identity'
import { createNode, type Hop } from '@parley/mesh'
import { createSeededRandom, createSystemClock, createSystemRandom, type Inbox } from '@parley/ports'
import { createParticipant } from '@parley/saga'
import { openParticipantDatabase, openSqliteInbox, withTransaction } from '@parley/store-sqlite'
import { trips } from '../sim/trip-contract.ts'
import type { Asked, Line } from './line.ts'
import { effectTable } from './run-facts.ts'
import { databaseFile, issuerFolder, type ProcessSetup } from './setup.ts'

const clock = createSystemClock()
const random = createSystemRandom()
/** Long enough that processes die in the middle of it. */
const workMs = 25

/** Runs a participant in this process, over a database that the life before left. */
export async function openParticipant(
  { name, life, plan, folder, urls }: ProcessSetup,
  line: Line,
): Promise<(asked: Asked) => Promise<void>> {
  let { declines, throws } = plan
  const chance = createSeededRandom(plan.seed * 104_729 + life)
  const db = openParticipantDatabase(databaseFile(folder, name))
  db.exec(effectTable)
  const participant = createParticipant<DatabaseSync>({
    inbox: tellStale(openSqliteInbox(db), line),
    async transaction(run) {
      const result = await withTransaction(db, async (tx) => {
        const done = await run(tx)
        await line.pass('before-commit')
        return done
      })
      await line.pass('after-commit')
      return result
    },
    clock,
  })
  const work = async (): Promise<void> => {
    await delay(chance.float() * workMs)
    if (chance.float() < throws) throw new Error('it is broken')
  }
  const write = (tx: DatabaseSync, kind: 'do' | 'undo', { saga, caller }: Pick<Hop, 'saga' | 'caller'>): void => {
    if (!saga) return
    tx.prepare('INSERT INTO effect (kind, saga, step, key, attempt, epoch, caller) VALUES (?, ?, ?, ?, ?, ?, ?)').run(
      kind,
      saga.id,
      saga.step,
      saga.key,
      saga.attempt,
      saga.epoch,
      caller.name,
    )
  }
  const node = await createNode({
    name,
    issuer: await openFileIssuer({ dir: issuerFolder(folder), clock, random }),
    serves: [trips],
    nats: { servers: [...urls], reconnectWaitMs: 50 },
    heartbeatMs: 300,
  })
  node.serve(trips, {
    reserve: participant.serve(trips.reserve, {
      async do(tx, { what }, hop) {
        await work()
        if (chance.float() < declines) return hop.decline('full', {})
        write(tx, 'do', hop)
        return { what, by: name }
      },
      async undo(tx, _done, hop) {
        await work()
        write(tx, 'undo', hop)
      },
    }),
    charge: participant.serve(trips.charge, {
      async do(tx, { what }, hop) {
        await work()
        if (chance.float() < declines) return hop.decline('declined', {})
        write(tx, 'do', hop)
        return { what, by: name }
      },
    }),
    mail: participant.serve(trips.mail, {
      async do(tx, { what }, hop) {
        await work()
        write(tx, 'do', hop)
        return { what, by: name }
      },
    }),
    search: { do: ({ what }) => ({ what, by: name }) },
  })
  await node.start()
  return async ({ what }) => {
    if (what === 'calm') [declines, throws] = [0, 0]
    if (what !== 'close') return
    await node.close()
    db.close()
  }
}

function tellStale(inbox: Inbox<DatabaseSync>, line: Line): Inbox<DatabaseSync> {
  const tell = <Verdict extends { readonly kind: string }>(saga: string, verdict: Verdict): Verdict => {
    if (verdict.kind === 'stale-epoch') line.tell({ tell: 'stale-command', saga })
    return verdict
  }
  return {
    begin: async (tx, command) => tell(command.saga, await inbox.begin(tx, command)),
    settle: (tx, command, outcome) => inbox.settle(tx, command, outcome),
    undo: async (tx, command) => tell(command.saga, await inbox.undo(tx, command)),
    lookup: async (tx, command) => tell(command.saga, await inbox.lookup(tx, command)),
    close: async (tx, command) => tell(command.saga, await inbox.close(tx, command)),
  }
}
