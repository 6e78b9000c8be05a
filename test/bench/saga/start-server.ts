import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

/** A server of a peer. It ends with `asyncDispose`, and with this process. */
export interface RunningServer extends AsyncDisposable {
  /** Resolves once `isReady` does with true; rejects with what the server printed if it ends, or after half a minute. */
  until(isReady: () => Promise<boolean>): Promise<void>
}

const patienceMs = 30_000
const pollMs = 100
const maxPrintedChars = 4_096

/** Starts a server in the foreground. */
export function startServer(
  command: string,
  args: readonly string[],
  options: {
    readonly cwd: string
    readonly env?: Readonly<Record<string, string>>
    readonly uid?: number
    readonly gid?: number
    /** What ends it in order; default SIGTERM. */
    readonly stopBy?: NodeJS.Signals
  },
): RunningServer {
  const { env, stopBy = 'SIGTERM', ...how } = options
  const child = spawn(command, [...args], {
    ...how,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close').catch(() => undefined)
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed = (printed + text).slice(-maxPrintedChars)
    })
  const kill = (): void => {
    child.kill('SIGKILL')
  }
  process.once('exit', kill)
  return {
    async until(isReady) {
      for (const startMs = performance.now(); performance.now() - startMs < patienceMs; await delay(pollMs)) {
        if (child.exitCode !== null) break
        if (await isReady().catch(() => false)) return
      }
      kill()
      throw new Error(`${command} did not start: ${printed.trim()}`)
    },
    async [Symbol.asyncDispose]() {
      process.off('exit', kill)
      child.kill(stopBy)
      await Promise.race([ended, delay(patienceMs, undefined, { ref: false })])
      kill()
    },
  }
}
