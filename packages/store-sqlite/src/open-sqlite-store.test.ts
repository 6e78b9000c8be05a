import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSqliteStore } from './open-sqlite-store.ts'
import { openParticipantDatabase } from './participant-database.ts'
import { readPragma } from './schema.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const moduleUrl = JSON.stringify(new URL('open-sqlite-store.ts', import.meta.url).href)

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-sqlite-'))
  path = join(folder, 'made/store.db')
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** Runs a module in a process of its own and hands over the lines that it prints. */
function runChild(source: string): {
  readonly kill: () => Promise<unknown>
  readonly lines: AsyncIterator<string>
  pid: number
} {
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const kill = async (): Promise<unknown> => {
    const ended = once(child, 'close')
    child.kill('SIGKILL')
    return ended
  }
  return { kill, lines, pid: child.pid ?? -1 }
}

describe('openSqliteStore', () => {
  it('makes the file and reads back that commits are synced', async () => {
    const store = await openSqliteStore({ path })
    expect(store.facts()).toMatchObject({ path, journalMode: 'wal', syncsEachCommit: true })
    await store.close()
    expect(existsSync(path)).toBe(true)
  })
  it('opens a database of a participant so that SQLite syncs each commit: `PRAGMA synchronous` is FULL', () => {
    const db = openParticipantDatabase(path)
    const pragmas = ['journal_mode', 'synchronous', 'foreign_keys'].map((name) => readPragma(db, name))
    db.close()
    expect(pragmas).toEqual(['wal', 2, 1])
  })
  it('T13: refuses a second opening in this process and says who holds it', async () => {
    const store = await openSqliteStore({ path })
    symlinkSync(join(folder, 'made'), join(folder, 'alias'))
    for (const way of [path, join(folder, 'alias/store.db')])
      await expect(openSqliteStore({ path: way })).rejects.toMatchObject({
        code: 'store.locked',
        details: { pid: process.pid },
      })
    await store.journal.append('s', 0, [bytes('still works')])
    await store.close()
    const again = await openSqliteStore({ path })
    expect(await again.journal.last('s')).toBe(1)
    await again.close()
  })
  it('T13: refuses what another process holds, and is not held up once that process is killed', async () => {
    const child = runChild(`
      import { openSqliteStore } from ${moduleUrl}
      await openSqliteStore({ path: ${JSON.stringify(path)} })
      console.log('open')
      setInterval(() => {}, 1000)`)
    await child.lines.next()
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'store.locked', details: { pid: child.pid } })
    await child.kill()
    await (await openSqliteStore({ path })).close()
  })
  it('T11: holds every acknowledged record after its process was killed 20 times among 64 writers', async () => {
    const source = `
      import { writeSync } from 'node:fs'
      import { openSqliteStore } from ${moduleUrl}
      const store = await openSqliteStore({ path: ${JSON.stringify(path)} })
      const write = async (writer) => {
        for (let last = await store.journal.last('w' + writer); ; ) {
          last = await store.journal.append('w' + writer, last, [Buffer.from(writer + ':' + (last + 1)), Buffer.alloc(600)])
          writeSync(1, writer + ' ' + last + '\\n')
        }
      }
      for (let writer = 0; writer < 64; writer++) void write(writer)`
    const acknowledged = new Map<string, number>()
    for (let life = 1; life <= 20; life++) {
      const child = runChild(source)
      const take = (line: string): void => {
        const [writer = '', last = ''] = line.split(' ')
        acknowledged.set(`w${writer}`, Number(last))
      }
      for (let count = 0; count < 50 * life; count++) take((await child.lines.next()).value as string)
      await child.kill()
      for (let next = await child.lines.next(); !next.done; next = await child.lines.next()) take(next.value)
    }
    const store = await openSqliteStore({ path })
    expect(acknowledged.size).toBe(64)
    for (const [stream, last] of acknowledged) {
      const entries = await store.journal.read(stream)
      expect(entries.length).toBeGreaterThanOrEqual(last)
      // Each append was of two entries: a torn one would leave an odd number.
      expect(entries.length % 2).toBe(0)
      const heads = entries.filter(({ position }) => position % 2 === 1)
      expect(heads.map(({ data }) => new TextDecoder().decode(data))).toEqual(
        heads.map(({ position }) => `${stream.slice(1)}:${position}`),
      )
    }
    await store.close()
  }, 60_000)
  it("refuses another program's database and leaves it alone", async () => {
    const foreign = join(folder, 'foreign.db')
    const db = new DatabaseSync(foreign)
    db.exec('CREATE TABLE theirs (x)')
    db.close()
    await expect(openSqliteStore({ path: foreign })).rejects.toMatchObject({ code: 'store.open-failed' })
    const check = new DatabaseSync(foreign)
    expect(check.prepare('SELECT name FROM sqlite_schema').all()).toEqual([{ name: 'theirs' }])
    check.close()
  })
  it('brings the layout of an older release up to its own, with what is in it', async () => {
    const old = await openSqliteStore({ path })
    await old.journal.append('s', 0, [new Uint8Array([1]), new Uint8Array([2])])
    await old.close()
    const db = new DatabaseSync(path)
    db.exec(`
      ALTER TABLE stream DROP COLUMN first;
      ALTER TABLE entry RENAME TO later;
      CREATE TABLE entry (
        stream INTEGER NOT NULL REFERENCES stream (id), position INTEGER NOT NULL, size INTEGER NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY (stream, position)
      ) STRICT, WITHOUT ROWID;
      INSERT INTO entry SELECT stream, position, size, data FROM later;
      DROP TABLE later;
      PRAGMA user_version = 2
    `)
    db.close()
    for (let opening = 1; opening <= 2; opening++) {
      const store = await openSqliteStore({ path })
      expect((await store.journal.read('s')).map(({ position, data }) => [position, ...data])).toEqual([
        [1, 1],
        [2, 2],
      ])
      await store.close()
    }
  })
  it('overwrites what is deleted: it may be a key', async () => {
    const store = await openSqliteStore({ path })
    const secret = Buffer.from('the data key of one saga')
    await store.keyValue.put('k', secret)
    await store.keyValue.put('other', new Uint8Array([1]))
    await store.keyValue.delete('k')
    await store.close()
    expect(readFileSync(path).includes(secret)).toBe(false)
  })
  it('refuses a layout of before the first release', async () => {
    await (await openSqliteStore({ path })).close()
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version = 1')
    db.close()
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'store.open-failed' })
  })
  it('refuses a layout that is newer than it knows', async () => {
    await (await openSqliteStore({ path })).close()
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version = 99')
    db.close()
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'store.open-failed' })
  })
  it('says that garbage is corrupt, and lets go of its lock', async () => {
    const garbage = join(folder, 'garbage.db')
    writeFileSync(garbage, 'no database at all, '.repeat(100))
    for (let attempt = 0; attempt < 2; attempt++)
      await expect(openSqliteStore({ path: garbage })).rejects.toMatchObject({ code: 'store.corrupt' })
  })
  it('says that a folder which is a file cannot be opened', async () => {
    writeFileSync(join(folder, 'file'), '')
    await expect(openSqliteStore({ path: join(folder, 'file/store.db') })).rejects.toMatchObject({
      code: 'store.open-failed',
    })
  })
})
