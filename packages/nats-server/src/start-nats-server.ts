import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { MeshError } from '@parley/protocol'
import { startGuardedChild, type GuardedChild } from './guarded-child.ts'
import type { NatsServerBinary } from './nats-server-binary.ts'
import { formatServerConfig } from './server-config.ts'
import { supportsSyncAlways } from './version.ts'

/** How a server is run. */
export interface StartNatsServerOptions {
  /** What `findNatsServer` found. */
  readonly binary: Pick<NatsServerBinary, 'path' | 'version'>
  /** Where JetStream keeps its data. Without it a temporary folder is used, and removed by `stop`. */
  readonly storeDir?: string
  /** Whether JetStream is on; off by default. */
  readonly jetstream?: boolean
  /** More configuration, as nats-server reads it: users, permissions, limits. Not host, port, ports_file_dir or jetstream. */
  readonly config?: string
  /** Default 127.0.0.1: nobody but this machine. */
  readonly host?: string
  /** Default 0: a free port. */
  readonly port?: number
  /** Whether JetStream syncs each write before it acknowledges it; by default where the version can. */
  readonly syncAlways?: boolean
  /** How long a start may take; default 10 000. */
  readonly startTimeoutMs?: number
}

/** A nats-server that runs as long as this process, at most. */
export interface RunningNatsServer extends AsyncDisposable {
  /** For instance `nats://127.0.0.1:41223`; the same after a restart. */
  readonly url: string
  readonly port: number
  /** The id of the process that runs now. */
  readonly pid: number
  readonly version: string
  /** Whether an acknowledged JetStream write is on disk. */
  readonly syncAlways: boolean
  /** Ends the server in order and removes what was temporary. Idempotent. */
  stop(): Promise<void>
  /** Ends the server at once, as a crash would; the store stays. */
  kill(): Promise<void>
  /** Runs the server again, on the same port and store; ends it in order first if it runs. */
  restart(): Promise<void>
}

/** After this time an orderly end becomes a kill. */
const stopTimeoutMs = 5_000

interface StartedServer {
  readonly child: GuardedChild
  readonly pid: number
  readonly port: number
}

/**
 * Starts a server on loopback and resolves once it accepts connections. The server ends with this process, however that
 * ends. Rejects with `nats-server.start-failed`, whose details hold what the server printed.
 */
export async function startNatsServer(options: StartNatsServerOptions): Promise<RunningNatsServer> {
  const { binary, host = '127.0.0.1', jetstream = false, config: extra = '', startTimeoutMs = 10_000 } = options
  if (process.platform === 'win32')
    throw new MeshError(
      'nats-server.start-failed',
      'A guarded nats-server runs on Linux and macOS only; start one by hand.',
    )
  const syncAlways = jetstream && (options.syncAlways ?? supportsSyncAlways(binary.version))
  if (syncAlways && !supportsSyncAlways(binary.version))
    throw new MeshError(
      'nats-server.start-failed',
      `nats-server ${binary.version} cannot sync each write; use 2.10.0 or later, or leave syncAlways out.`,
    )
  const scratchDir = await mkdtemp(join(tmpdir(), 'parley-nats-'))
  const storeDir = options.storeDir ?? join(scratchDir, 'store')
  const tidy = (): void => {
    rmSync(scratchDir, { recursive: true, force: true })
  }
  process.once('exit', tidy)
  const removeScratch = (): void => {
    process.off('exit', tidy)
    tidy()
  }

  const start = async (port: number): Promise<StartedServer> => {
    const portsDir = join(scratchDir, 'ports')
    await rm(portsDir, { recursive: true, force: true })
    await mkdir(portsDir)
    const file = join(scratchDir, 'nats-server.conf')
    const store = jetstream ? { storeDir, syncAlways } : undefined
    await writeFile(file, formatServerConfig({ host, port, portsDir, jetstream: store, extra }), { mode: 0o600 })
    const child = startGuardedChild(binary.path, ['-c', file])
    const started = await waitUntilReady(child, portsDir, host, startTimeoutMs)
    if (started) return { child, ...started }
    child.signal('KILL')
    await child.ended
    const output = child.output().trim()
    throw new MeshError(
      'nats-server.start-failed',
      `nats-server ${binary.version} did not start on ${host}${port > 0 ? `:${port}` : ''}: ${output.split('\n').at(-1) ?? ''}`,
      { details: { output } },
    )
  }

  let current: StartedServer
  try {
    current = await start(options.port === undefined || options.port === 0 ? -1 : options.port)
  } catch (error) {
    removeScratch()
    throw error
  }
  const { port } = current
  const end = async (): Promise<void> => {
    current.child.signal('TERM')
    await Promise.race([current.child.ended, delay(stopTimeoutMs, undefined, { ref: false })])
    await kill()
  }
  const kill = async (): Promise<void> => {
    current.child.signal('KILL')
    await current.child.ended
  }
  const stop = async (): Promise<void> => {
    await end()
    removeScratch()
  }
  return {
    url: `nats://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    get pid(): number {
      return current.pid
    },
    version: binary.version,
    syncAlways,
    stop,
    kill,
    async restart() {
      await end()
      current = await start(port)
    },
    [Symbol.asyncDispose]: stop,
  }
}

/** Waits for the server's own word on its port, then for a greeting on that port. */
async function waitUntilReady(
  child: GuardedChild,
  portsDir: string,
  host: string,
  timeoutMs: number,
): Promise<{ readonly pid: number; readonly port: number } | undefined> {
  const deadlineMs = performance.now() + timeoutMs
  while (child.isRunning() && performance.now() < deadlineMs) {
    const written = await readPortsFile(portsDir)
    if (written && (await greets(host, written.port))) return written
    await delay(5)
  }
  return undefined
}

async function readPortsFile(portsDir: string): Promise<{ readonly pid: number; readonly port: number } | undefined> {
  const name = (await readdir(portsDir)).find((entry) => entry.endsWith('.ports'))
  const pid = Number(/_(\d+)\.ports$/.exec(name ?? '')?.[1])
  if (name === undefined || !Number.isInteger(pid)) return undefined
  // The file is matched, not parsed: it may be read while it is written.
  const port = Number(/"nats":\s*\[\s*"[^"]*:(\d+)"/.exec(await readFile(join(portsDir, name), 'utf8'))?.[1])
  return Number.isInteger(port) ? { pid, port } : undefined
}

function greets(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 })
    const answer = (greeted: boolean) => (): void => {
      socket.destroy()
      resolve(greeted)
    }
    socket.once('data', answer(true)).once('error', answer(false)).once('timeout', answer(false))
  })
}
