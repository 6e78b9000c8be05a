import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Asked, Told } from './line.ts'
import type { ProcessSetup } from './setup.ts'

/** One life of a process of a run, seen from whoever started it. */
export interface ChaosProcess {
  readonly name: string
  /** Resolves to true once it does its work, to false if it ended before. */
  readonly ready: Promise<boolean>
  readonly ended: Promise<void>
  isRunning(): boolean
  /** Asks it; rejects if it cannot, or ends before it answered. */
  ask(what: Asked['what'], saga?: string): Promise<void>
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
  /** How it ended and what it printed. */
  lastWords(): string
}

/** Every process that runs now, so that whoever ends the run ends them, each by its own id. */
export const runningProcesses: Set<ChildProcess> = new Set()

const entry = fileURLToPath(new URL('./process-main.ts', import.meta.url))
const maxPrinted = 8_192

/** Starts a process. `onTold` hears everything but answers. */
export function startProcess(setup: ProcessSetup, onTold: (told: Told) => void): ChaosProcess {
  const child = fork(entry, [JSON.stringify(setup)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  runningProcesses.add(child)
  let printed = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    printed = (printed + text).slice(-maxPrinted)
  })
  const ready = Promise.withResolvers<boolean>()
  const ended = Promise.withResolvers<undefined>()
  const asked = new Map<number, { readonly resolve: () => void; readonly reject: (error: Error) => void }>()
  let asks = 0
  child.on('message', (told: Told) => {
    if (told.tell === 'ready') ready.resolve(true)
    if (told.tell !== 'answer') return onTold(told)
    const { to, problem } = told
    if (problem === undefined) asked.get(to)?.resolve()
    else asked.get(to)?.reject(new Error(problem))
    asked.delete(to)
  })
  const end = (): void => {
    runningProcesses.delete(child)
    ready.resolve(false)
    for (const { reject } of asked.values()) reject(new Error(`${setup.name} ended`))
    asked.clear()
    ended.resolve(undefined)
  }
  child.once('error', end)
  child.once('close', end)
  return {
    name: setup.name,
    ready: ready.promise,
    ended: ended.promise,
    isRunning: () => runningProcesses.has(child),
    ask: (what, saga) =>
      new Promise((resolve, reject) => {
        const ask = ++asks
        asked.set(ask, { resolve, reject })
        child.send({ ask, what, ...(saga !== undefined && { saga }) } satisfies Asked, (error) => {
          if (error) reject(error)
        })
      }),
    signal(signal) {
      if (runningProcesses.has(child)) child.kill(signal)
    },
    lastWords: () => `${child.signalCode ?? `exit code ${child.exitCode}`}: ${printed.trim()}`,
  }
}
