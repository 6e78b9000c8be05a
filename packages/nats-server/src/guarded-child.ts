import { spawn, type ChildProcess } from 'node:child_process'

/** A program that ends when this process ends, however that happens. */
export interface GuardedChild {
  /** Sends a signal to the program; after its end this does nothing. */
  signal(name: 'TERM' | 'KILL'): void
  /** Resolves when the program has ended. */
  readonly ended: Promise<void>
  isRunning(): boolean
  /** The last lines that the program printed. */
  output(): string
}

/**
 * The guard starts the program and reads signal names from a pipe whose other end only the parent holds. The kernel
 * closes that end when the parent is gone, also by SIGKILL, and then the guard kills the program. Signals go through the
 * guard because it alone knows that the process id still is the program's.
 */
const guardScript = `
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
{ while read -r name; do kill -s "$name" "$program"; done; kill -s KILL "$program"; } <&3 >/dev/null 2>&1 &
reader=$!
exec 3<&-
wait "$program"
kill "$reader" 2>/dev/null
`

const maxOutputChars = 8 * 1024

/** Starts `file` under a guard of its own process group, so that a Ctrl-C reaches the parent alone. POSIX only. */
export function startGuardedChild(file: string, args: readonly string[]): GuardedChild {
  const guard = spawn('/bin/sh', ['-c', guardScript, 'parley-guard', file, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  let running = true
  const keep = (text: string): void => {
    output = (output + text).slice(-maxOutputChars)
  }
  guard.stdout.setEncoding('utf8').on('data', keep)
  guard.stderr.setEncoding('utf8').on('data', keep)
  // A signal may be written to a guard that is just ending; its end is told by `ended`.
  guard.stdin.on('error', (error) => {
    keep(error.message)
  })
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      running = false
      resolve()
    }
    guard.once('error', (error) => {
      keep(error.message)
      end()
    })
    guard.once('close', end)
  })
  setReferences(guard, false)
  return {
    signal(name) {
      if (!running) return
      setReferences(guard, true)
      guard.stdin.write(`${name}\n`)
    },
    ended,
    isRunning: () => running,
    output: () => output,
  }
}

/** A running program must not keep this process alive; waiting for its end must. */
function setReferences(guard: ChildProcess, hold: boolean): void {
  if (hold) guard.ref()
  else guard.unref()
  for (const stream of [guard.stdin, guard.stdout, guard.stderr]) {
    const handle = stream as Partial<Pick<ChildProcess, 'ref' | 'unref'>> | null
    if (hold) handle?.ref?.()
    else handle?.unref?.()
  }
}
