import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { inboxConformance, locksConformance } from '@parley/conformance'
import {
  createInboxTables,
  createPgInbox,
  createPgLocks,
  purgePgInbox,
  withPgTransaction,
  type PgTransaction,
} from '@parley/inbox-pg'
import type { SagaCommand } from '@parley/mesh'
import type { InboxCommand } from '@parley/ports'
import { isMeshError } from '@parley/protocol'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findPostgres, runPostgres, type RunningPostgres } from './run-postgres.ts'
import { startParticipant, type ParticipantProcess } from './start-participant.ts'

const bin = findPostgres()
const done = { kind: 'ok', output: '{"seat":1}' } as const
const command: InboxCommand = {
  owner: 'did:key:zOwner',
  name: 'acme/trips',
  saga: 'trip-1',
  key: 'step-1',
  capability: 'desks:reserve',
  epoch: 1,
  expiresAtMs: 10_000,
}

describe.skipIf(bin === undefined || process.platform === 'win32')(
  'PostgreSQL (needs the package postgresql of Debian)',
  () => {
    let server: RunningPostgres
    let pool: pg.Pool
    const inbox = createPgInbox()
    const transact = <Result>(work: (tx: PgTransaction) => Result | Promise<Result>): Promise<Result> =>
      withPgTransaction(pool, work)
    const sweep = async (): Promise<void> => {
      await pool.query('TRUNCATE parley_inbox_saga, parley_inbox_key, parley_inbox_horizon, parley_lock, seat')
    }
    const countSeats = async (key: string): Promise<number> =>
      Number((await pool.query('SELECT count(*) FROM seat WHERE key = $1', [key])).rows[0].count)
    beforeAll(async () => {
      server = await runPostgres(bin ?? '')
      pool = server.open()
      await Promise.all([transact(createInboxTables), transact(createInboxTables)])
      await pool.query('CREATE TABLE seat (number serial, key text NOT NULL)')
    })
    afterAll(async () => {
      await pool.end()
      await server.stop()
    })

    const fixture = { transact, purge: (nowMs: number) => purgePgInbox(pool, nowMs), dispose: sweep }
    inboxConformance({ describe, it, expect }, 'the PostgreSQL inbox', async () => ({ inbox, ...fixture }))
    locksConformance({ describe, it, expect }, 'the PostgreSQL locks', async () => ({
      locks: createPgLocks(),
      ...fixture,
    }))

    describe('createPgInbox', () => {
      const reserve = async (tx: PgTransaction, key: string): Promise<string> => {
        const verdict = await inbox.begin(tx, { ...command, key })
        if (verdict.kind !== 'new') return verdict.kind
        await tx.query('INSERT INTO seat (key) VALUES ($1)', [key])
        await inbox.settle(tx, { ...command, key }, done)
        return 'done'
      }
      it.each(['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const)(
        'I5: does a key once of eight that come at the same moment, %s',
        async (isolation) => {
          const ends = await Promise.all(
            Array.from({ length: 8 }, () =>
              withPgTransaction(pool, (tx) => reserve(tx, isolation), { isolation, attempts: 20 }),
            ),
          )
          expect(ends.filter((end) => end === 'done')).toEqual(['done'])
          expect(ends.filter((end) => end === 'known').length).toBe(7)
          expect(await countSeats(isolation)).toBe(1)
          await sweep()
        },
      )
      it.each(['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const)(
        'gives a target that two sagas want at the same moment to one of them at most, %s',
        async (isolation) => {
          const locks = createPgLocks()
          const take = async (saga: string): Promise<string> => {
            try {
              const taken = await withPgTransaction(
                pool,
                async (tx) => {
                  await inbox.begin(tx, { ...command, saga, key: `${isolation} ${saga}` })
                  return locks.take(tx, { ...command, saga, key: saga }, isolation, { nowMs: 1, untilMs: 1_000 })
                },
                { isolation, attempts: 20 },
              )
              return taken.kind
            } catch (error) {
              return isMeshError(error) ? error.code : 'broke'
            }
          }
          const ends = await Promise.all([take('one'), take('two'), take('three')])
          expect(ends.toSorted()).toEqual(
            isolation === 'REPEATABLE READ'
              ? ['store.unsafe-config', 'store.unsafe-config', 'store.unsafe-config']
              : ['held', 'held', 'taken'],
          )
          await sweep()
        },
      )
      it('lets an undo wait for the command that is under way, and takes back what it did', async () => {
        const reached = Promise.withResolvers<undefined>()
        const held = Promise.withResolvers<undefined>()
        const forward = transact(async (tx) => {
          const end = await reserve(tx, 'k')
          reached.resolve(undefined)
          await held.promise
          return end
        })
        await reached.promise
        const undo = transact((tx) => inbox.undo(tx, { ...command, key: 'k' }))
        held.resolve(undefined)
        expect(await forward).toBe('done')
        expect(await undo).toEqual({ kind: 'undo', outcome: done })
        await sweep()
      })
      it('I4: never takes what a purge forgets at that moment for new', async () => {
        for (let round = 0; round < 10; round++) {
          await transact((tx) => inbox.settle(tx, command, done))
          const asking = transact((tx) => inbox.begin(tx, command)).then(
            ({ kind }) => kind,
            (error: unknown) => (isMeshError(error) ? error.code : error),
          )
          await purgePgInbox(pool, command.expiresAtMs)
          expect(['saga.command-expired', 'known']).toContain(await asking)
          await sweep()
        }
      })
      it('refuses to answer outside of a transaction, and names that PostgreSQL cannot keep apart', async () => {
        await expect(inbox.begin(pool, command)).rejects.toThrow(TypeError)
        for (const key of ['a\0b', '\ud800'])
          await expect(transact((tx) => inbox.begin(tx, { ...command, key }))).rejects.toMatchObject({
            code: 'saga.command-invalid',
          })
        await sweep()
      })
    })

    describe('withPgTransaction', () => {
      it('runs again what the server took back for the sake of others: serialization failures and deadlocks', async () => {
        await pool.query(`INSERT INTO seat (number, key) VALUES (1, ''), (2, '')`)
        const runs = { serial: 0, dead: 0 }
        const bothHaveOne = Promise.withResolvers<undefined>()
        let have = 0
        const both = (isFirst: boolean): Promise<void> =>
          withPgTransaction(pool, async (tx) => {
            runs.dead++
            await tx.query(`UPDATE seat SET key = key || 'd' WHERE number = $1`, [isFirst ? 1 : 2])
            if (++have === 2) bothHaveOne.resolve(undefined)
            await bothHaveOne.promise
            await tx.query(`UPDATE seat SET key = key || 'd' WHERE number = $1`, [isFirst ? 2 : 1])
          })
        await Promise.all([both(true), both(false)])
        const count = (): Promise<unknown> =>
          withPgTransaction(
            pool,
            async (tx) => {
              runs.serial++
              const { rows } = await tx.query('SELECT count(*) FROM seat')
              return tx.query('INSERT INTO seat (key) VALUES ($1)', [`n${String(rows[0]?.['count'])}`])
            },
            { isolation: 'SERIALIZABLE', attempts: 50 },
          )
        await Promise.all([count(), count(), count()])
        expect(runs.dead).toBeGreaterThan(2)
        expect(runs.serial).toBeGreaterThan(3)
        expect(
          (await pool.query<{ key: string }>('SELECT key FROM seat ORDER BY key')).rows.map(({ key }) => key),
        ).toEqual(['dd', 'dd', 'n2', 'n3', 'n4'])
        await sweep()
      })
      it('gives what it may not run again to its caller, rolled back', async () => {
        const failing = transact(async (tx) => {
          await tx.query(`INSERT INTO seat (key) VALUES ('x')`)
          await tx.query('SELECT 1 / 0')
        })
        await expect(failing).rejects.toMatchObject({ code: '22012' })
        expect(await countSeats('x')).toBe(0)
      })
      it('takes no COMMIT for one that rolled back, nor one without an answer for either', async () => {
        const swallowed = transact(async (tx) => {
          await tx.query(`INSERT INTO seat (key) VALUES ('x')`)
          await tx.query('SELECT 1 / 0').catch(() => 'a handler that hides an error')
        })
        await expect(swallowed).rejects.toMatchObject({ code: 'store.write-failed' })
        expect(await countSeats('x')).toBe(0)
        const lost = transact(async (tx) => {
          await tx.query(`INSERT INTO seat (key) VALUES ('y')`)
          const { rows } = await tx.query('SELECT pg_backend_pid() AS pid')
          await pool.query('SELECT pg_terminate_backend($1, 5000)', [rows[0]?.['pid']])
        })
        await expect(lost).rejects.toMatchObject({ code: 'store.outcome-unknown' })
        expect(await countSeats('y')).toBe(0)
      })
      it('says that nothing was done where it cannot connect', async () => {
        const nowhere = server.open({ host: '/nonexistent' })
        await expect(withPgTransaction(nowhere, () => 1)).rejects.toMatchObject({ code: 'store.unavailable' })
        await nowhere.end()
      })
    })

    describe('a participant that is killed', { timeout: 120_000 }, () => {
      const kinds = ['pg', 'sqlite'] as const
      const folder = mkdtempSync(join(tmpdir(), 'parley-inbox-'))
      const sqlitePath = join(folder, 'participant.db')
      afterAll(() => rmSync(folder, { recursive: true, force: true }))
      const start = (): Promise<ParticipantProcess> => startParticipant(server.host, sqlitePath)
      const commandOf = (key: string, change: Partial<SagaCommand> = {}): SagaCommand => ({
        id: 'trip-1',
        step: 'seat',
        attempt: 1,
        epoch: 1,
        key,
        phase: 'do',
        expiresAtMs: Date.now() + 3_600_000,
        ...change,
      })
      const countIn = async (on: 'pg' | 'sqlite', key: string): Promise<readonly number[]> => {
        if (on === 'pg') {
          const rows = await pool.query('SELECT count(*) FROM parley_inbox_key WHERE key = $1', [key])
          return [await countSeats(key), Number(rows.rows[0].count)]
        }
        const db = new DatabaseSync(sqlitePath)
        const [seats, rows] = ['seat', 'parley_inbox_key'].map((table) =>
          Number(db.prepare(`SELECT count(*) AS n FROM ${table} WHERE key = ?`).get(key)?.['n']),
        )
        db.close()
        return [seats ?? -1, rows ?? -1]
      }

      it('keeps effect and inbox row together wherever it dies, and its epochs and tombstones', async () => {
        let participant = await start()
        const each = <Result>(run: (on: 'pg' | 'sqlite') => Promise<Result>): Promise<readonly Result[]> =>
          Promise.all(kinds.map(run))
        const restart = async (): Promise<void> => {
          await participant.kill()
          participant = await start()
        }
        // Its effect is there, its row is not; then both are, and nothing is committed.
        for (const point of ['effect', 'row'] as const) {
          await each((on) => participant.stopAt(on, commandOf('a'), point))
          await restart()
          expect(await each((on) => countIn(on, 'a'))).toEqual([
            [0, 0],
            [0, 0],
          ])
        }
        expect(await each((on) => participant.ask(on, commandOf('a', { phase: 'lookup' })))).toEqual([
          { found: 'absent' },
          { found: 'absent' },
        ])
        // Committed, and nobody was told.
        await each((on) => participant.stopAt(on, commandOf('a'), 'commit'))
        await each((on) => participant.ask(on, commandOf('gone', { phase: 'undo', epoch: 4 })))
        await restart()
        expect(await each((on) => countIn(on, 'a'))).toEqual([
          [1, 1],
          [1, 1],
        ])
        const again = await each((on) => participant.ask(on, commandOf('a', { attempt: 2, epoch: 4 })))
        expect(again).toMatchObject([{ seat: expect.any(Number) }, { seat: expect.any(Number) }])
        expect(await each((on) => participant.ask(on, commandOf('a', { phase: 'lookup', epoch: 4 })))).toEqual(
          again.map((output) => ({ found: 'ok', output })),
        )
        for (const phase of ['do', 'undo', 'lookup'] as const)
          expect(await each((on) => participant.ask(on, commandOf('b', { phase, epoch: 3 })))).toMatchObject([
            { kind: 'refusal', code: 'saga.stale-epoch' },
            { kind: 'refusal', code: 'saga.stale-epoch' },
          ])
        expect(await each((on) => participant.ask(on, commandOf('gone', { epoch: 4 })))).toMatchObject([
          { kind: 'refusal', code: 'saga.tombstoned' },
          { kind: 'refusal', code: 'saga.tombstoned' },
        ])
        await participant.kill()
      })

      it('leaves a duplicate that waits in another process to do it, once', async () => {
        const [one, two] = await Promise.all([start(), start()])
        const doomed = await one.stopAt('pg', commandOf('c', { epoch: 4 }), 'row')
        const waiting = two.ask('pg', commandOf('c', { epoch: 4 }))
        await one.kill()
        const answer = await waiting
        expect(answer).toMatchObject({ seat: expect.any(Number) })
        void doomed
        const held = await two.stopAt('pg', commandOf('d', { epoch: 4 }), 'effect')
        const third = await start()
        const twin = third.ask('pg', commandOf('d', { epoch: 4 }))
        two.goOn()
        expect(await twin).toEqual(await held.answer)
        expect([await countIn('pg', 'c'), await countIn('pg', 'd')]).toEqual([
          [1, 1],
          [1, 1],
        ])
        await Promise.all([two.kill(), third.kill()])
      })
    })
  },
)
