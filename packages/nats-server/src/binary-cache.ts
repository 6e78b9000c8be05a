import { randomUUID } from 'node:crypto'
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { join } from 'node:path'
import { hashFile, probeBinary, type NatsServerBinary } from './nats-server-binary.ts'
import { compareVersions } from './version.ts'

// I1 A program is seen in the cache whole or not at all: a file with its hash in its name appears by one rename.
// I2 A program whose bytes are not those that were stored is never run.
// I3 The lock only saves work; I1 holds without it.

/** After this time a lock is taken to be left over. */
const lockStaleMs = 300_000

/** Finds the newest sound program in the cache. */
export async function readBinaryCache(cacheDir: string): Promise<NatsServerBinary | undefined> {
  const programs = (await listFolder(cacheDir))
    .flatMap((name) => {
      const [, version, sha256] = /^nats-server-(\d+\.\d+\.\d+)-([0-9a-f]{64})$/.exec(name) ?? []
      return version === undefined || sha256 === undefined ? [] : [{ path: join(cacheDir, name), version, sha256 }]
    })
    .sort((left, right) => compareVersions(right.version, left.version))
  for (const { path, sha256 } of programs) {
    if ((await hashFile(path)) !== sha256) continue
    const probed = await probeBinary(path, 'cache')
    if ('binary' in probed) return probed.binary
  }
  return undefined
}

/** Stores a copy of a program and returns it at its lasting place. */
export async function writeBinaryCache(cacheDir: string, binary: NatsServerBinary): Promise<NatsServerBinary> {
  const path = join(cacheDir, `nats-server-${binary.version}-${binary.sha256}`)
  const incoming = join(cacheDir, `incoming-${randomUUID()}`)
  await mkdir(cacheDir, { recursive: true })
  try {
    await copyFile(binary.path, incoming)
    await chmod(incoming, 0o755)
    await rename(incoming, path)
  } finally {
    await rm(incoming, { force: true })
  }
  return { ...binary, path }
}

/** Runs `fetch` while no other process fetches into this cache; whoever waited looks at the cache again first. */
export async function withFetchLock<Result>(cacheDir: string, fetch: () => Promise<Result>): Promise<Result> {
  const lock = join(cacheDir, 'fetch.lock')
  await mkdir(cacheDir, { recursive: true })
  for (;;) {
    const taken = await mkdir(lock).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error
        return false
      },
    )
    if (taken) break
    if (await isLeftOver(lock)) await rm(lock, { recursive: true, force: true })
    else await delay(100)
  }
  try {
    await writeFile(join(lock, 'pid'), String(process.pid))
    return await fetch()
  } finally {
    await rm(lock, { recursive: true, force: true })
  }
}

async function isLeftOver(lock: string): Promise<boolean> {
  try {
    if (Date.now() - (await stat(lock)).mtimeMs > lockStaleMs) return true
    const pid = Number(await readFile(join(lock, 'pid'), 'utf8'))
    return pid > 0 && !isAlive(pid)
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Another user's process may not be signalled, but it lives.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function listFolder(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ENOTDIR'
}
