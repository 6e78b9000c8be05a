import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startServer } from './start-server.ts'

/** A PostgreSQL server of this bench alone, with its default configuration, which syncs each commit. */
export interface RunningPostgres extends AsyncDisposable {
  /** The folder of its socket. */
  readonly socket: string
}

const run = promisify(execFile)
const binaries = '/usr/lib/postgresql/15/bin'
/** PostgreSQL does not run as root: as `nobody` then. */
const nobody = 65_534

/**
 * Starts a PostgreSQL 15 of Debian's package without a port, in a temporary folder that its user can reach. Rejects where it
 * is not installed.
 */
export async function startPostgres(): Promise<RunningPostgres> {
  if (!existsSync(join(binaries, 'postgres'))) throw new Error(`there is no PostgreSQL 15 in ${binaries}`)
  const home = await mkdtemp(join(tmpdir(), 'parley-bench-postgres-'))
  const [data, socket] = [join(home, 'data'), join(home, 'socket')]
  await mkdir(socket, { recursive: true })
  const user = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}
  if (user.uid !== undefined) for (const path of [home, socket]) await chown(path, nobody, nobody)
  await run(join(binaries, 'initdb'), ['-D', data, '-U', 'bench', '-A', 'trust'], { cwd: home, ...user })
  const settings = ['listen_addresses=', `unix_socket_directories=${socket}`].flatMap((setting) => ['-c', setting])
  const server = startServer(join(binaries, 'postgres'), ['-D', data, ...settings], {
    cwd: home,
    stopBy: 'SIGINT',
    ...user,
  })
  await server.until(async () => {
    await run(join(binaries, 'pg_isready'), ['-h', socket])
    return true
  })
  return {
    socket,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await rm(home, { recursive: true, force: true })
    },
  }
}
