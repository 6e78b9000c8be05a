import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'

/** A PostgreSQL of this machine, on a socket in a temporary folder; it ends with this process at the latest. */
export interface RunningPostgres {
  /** Opens a pool; `end` it before the server stops. */
  open(options?: pg.PoolConfig): pg.Pool
  /** The folder of its socket, which is the host to connect to. */
  readonly host: string
  stop(): Promise<void>
}

const debianFolder = '/usr/lib/postgresql'
/** PostgreSQL refuses to run as root. */
const nobody = { uid: 65_534, gid: 65_534 }
const settings = ['fsync=off', 'listen_addresses=', 'shared_buffers=16MB', 'deadlock_timeout=50ms', 'autovacuum=off']

// Ends the server when the pipe on its standard input closes, which the kernel does however the parent ends, and once the last
// connection is gone: a pool calls itself ended a moment before its connections are.
const guard = `
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ read -r _; kill -TERM "$server"; } <&3 >/dev/null 2>&1 &
reader=$!
exec 3<&-
wait "$server"
kill "$reader" 2>/dev/null
`

/** Finds the newest PostgreSQL that Debian's packages installed; undefined if there is none. */
export function findPostgres(): string | undefined {
  if (!existsSync(debianFolder)) return undefined
  const versions = readdirSync(debianFolder).toSorted((a, b) => Number(b) - Number(a))
  return versions.map((version) => join(debianFolder, version, 'bin')).find((bin) => existsSync(join(bin, 'postgres')))
}

/** Makes a cluster in a temporary folder and runs it. */
export async function runPostgres(bin: string): Promise<RunningPostgres> {
  // A short path: a socket's name has at most 107 bytes.
  const folder = mkdtempSync('/tmp/parley-pg-')
  const isRoot = process.getuid?.() === 0
  if (isRoot) chownSync(folder, nobody.uid, nobody.gid)
  const data = join(folder, 'data')
  const options = { cwd: folder, env: { PATH: '/usr/bin:/bin' }, ...(isRoot && nobody) }
  const made = spawnSync(
    join(bin, 'initdb'),
    ['-D', data, '-A', 'trust', '-U', 'parley', '--no-sync', '--locale=C', '-E', 'UTF8'],
    { ...options, encoding: 'utf8' },
  )
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`)
  const flags = ['-D', data, '-k', folder, ...settings.flatMap((setting) => ['-c', setting])]
  const child = spawn('/bin/sh', ['-c', guard, 'parley-guard', join(bin, 'postgres'), ...flags], {
    ...options,
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  let printed = ''
  const ready = new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      printed = (printed + text).slice(-8_192)
      if (printed.includes('ready to accept connections')) resolve()
    })
    child.once('exit', () => reject(new Error(`postgres ended: ${printed}`)))
  })
  const ended = once(child, 'exit')
  const stop = async (): Promise<void> => {
    child.stdin.end()
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  await ready
  return {
    host: folder,
    open: (more = {}) => new pg.Pool({ host: folder, user: 'parley', database: 'postgres', max: 8, ...more }),
    stop,
  }
}
