import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { durablePragmas, storePragmas } from './durable-pragmas.ts'
import { createWalSync } from './wal-sync.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-wal-'))
  path = join(folder, 'a.db')
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** Commits so many times, each synced, and tells how long the log got. */
async function write(commits: number, perCheckpoint: number): Promise<{ rows: unknown; logBytes: number }> {
  const db = new DatabaseSync(path)
  db.exec(`${durablePragmas} ${storePragmas} CREATE TABLE IF NOT EXISTS t (value BLOB NOT NULL)`)
  const insert = db.prepare('INSERT INTO t (value) VALUES (zeroblob(10000))')
  const log = createWalSync(path, perCheckpoint)
  for (let at = 0; at < commits; at++) {
    insert.run()
    await log.sync()
    await log.checkpoint()
  }
  const logBytes = statSync(`${path}-wal`).size
  await log.close()
  const rows = db.prepare('SELECT count(*) AS rows FROM t').get()?.['rows']
  db.close()
  return { rows, logBytes }
}

describe('createWalSync', () => {
  it('moves the log into the database again and again, so that it begins anew and does not grow', async () => {
    const { rows, logBytes } = await write(200, 10)
    expect(rows).toBe(200)
    expect(logBytes).toBeLessThan(50 * 10_000)
    expect((await write(200, Infinity)).logBytes).toBeGreaterThan(200 * 10_000)
  })

  it('syncs on where the thread of the checkpoints fails, and says so once', async () => {
    mkdirSync(path)
    writeFileSync(`${path}-wal`, '')
    const warned = once(process, 'warning')
    const log = createWalSync(path, 1)
    for (let at = 0; at < 3; at++) {
      await log.sync()
      await log.checkpoint()
    }
    await log.close()
    expect(await warned).toMatchObject([{ message: expect.stringContaining('the thread of the checkpoints failed') }])
  })

  it('checkpoints again once a thread can, after one that failed', async () => {
    mkdirSync(path)
    writeFileSync(`${path}-wal`, '')
    const warned = once(process, 'warning')
    const log = createWalSync(path, 20)
    for (let at = 0; at < 20; at++) await log.checkpoint()
    await warned
    rmSync(path, { recursive: true })
    const db = new DatabaseSync(path)
    db.exec(`${durablePragmas} ${storePragmas} CREATE TABLE t (value BLOB NOT NULL)`)
    for (let at = 0; at < 200; at++) {
      db.exec('INSERT INTO t (value) VALUES (zeroblob(10000))')
      await log.sync()
      await log.checkpoint()
    }
    expect(statSync(`${path}-wal`).size).toBeLessThan(60 * 10_000)
    await log.close()
    db.close()
  })

  it.each(['', 'await log.close()'])('keeps no process alive: %s', async (end) => {
    const source = `
      import { DatabaseSync } from 'node:sqlite'
      const path = ${JSON.stringify(path)}
      const db = new DatabaseSync(path)
      db.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (value BLOB)')
      const { createWalSync } = await import(${JSON.stringify(new URL('wal-sync.ts', import.meta.url).href)})
      const log = createWalSync(path, 1)
      await log.sync()
      await log.checkpoint()
      ${end}
    `
    const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', source], { stdio: 'inherit' })
    expect(await once(child, 'exit')).toEqual([0, null])
  })
})
