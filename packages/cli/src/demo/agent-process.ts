import { fork } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AppendedRecord } from '@parley/mesh'
import type { Role } from './agents/agent.ts'
import { createChannel, type Commands } from './channel.ts'

/** A process of the demo, seen from the demo. */
export interface AgentProcess {
  readonly role: Role
  readonly name: string
  readonly folder: string
  /** The audit records that this process told of, in order. */
  readonly records: readonly AppendedRecord[]
  /** Opens the agent in it; resolves once it is on the mesh. */
  open(setup: object): Promise<void>
  /** Runs one of the agent's own commands. */
  run(command: string, input?: unknown): Promise<unknown>
  /** Resolves with the first record that matches, one that was told already included. */
  until(what: string, matches: (record: AppendedRecord) => boolean): Promise<AppendedRecord>
  /** Closes the agent in order and resolves when the process has ended. */
  stop(): Promise<void>
  /** Ends the process with SIGKILL and resolves when it has ended. */
  kill(): Promise<void>
}

/** What a process is started with. */
export interface AgentProcessOptions {
  readonly role: Role
  readonly name: string
  readonly folder: string
  /** What it may ask the demo for. */
  readonly commands: Commands
  readonly onRecord: (record: AppendedRecord) => void
}

/** How long a process may take for what an act waits for. */
const patienceMs = 20_000
const maxErrorChars = 4_096

/** Starts a process. It ends with this one, however that ends: its pipe tells it. */
export function startAgentProcess({ role, name, folder, commands, onRecord }: AgentProcessOptions): AgentProcess {
  const entry = fileURLToPath(new URL(`./agent-main${extname(import.meta.url)}`, import.meta.url))
  const child = fork(entry, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  const records: AppendedRecord[] = []
  const watchers = new Set<{ readonly look: () => boolean; readonly fail: (error: Error) => void }>()
  let printed = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    printed = (printed + text).slice(-maxErrorChars)
  })
  const channel = createChannel(child, commands, (event) => {
    const record = event as AppendedRecord
    records.push(record)
    onRecord(record)
    for (const watcher of watchers) if (watcher.look()) watchers.delete(watcher)
  })
  const ended = new Promise<void>((resolve) => {
    const end = (why: string): void => {
      channel.end(why)
      for (const { fail } of watchers) fail(new Error(why))
      watchers.clear()
      resolve()
    }
    child.once('error', (error) => end(`the process of ${name} did not start: ${error.message}`))
    child.once('close', (code, signal) => {
      end(`the process of ${name} ended (${signal ?? String(code)})${printed === '' ? '' : `: ${printed.trim()}`}`)
    })
  })
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  return {
    role,
    name,
    folder,
    records,
    async open(setup) {
      await channel.ask('open', setup)
    },
    run: (command, input) => channel.ask('run', { command, input }),
    until(what, matches) {
      const { promise, resolve, reject } = Promise.withResolvers<AppendedRecord>()
      let seen = 0
      const look = (): boolean => {
        const found = records.slice(seen).find(matches)
        seen = records.length
        if (!found) return false
        clearTimeout(timer)
        resolve(found)
        return true
      }
      const fail = (error: Error): void => {
        clearTimeout(timer)
        reject(error)
      }
      const watcher = { look, fail }
      const timer = setTimeout(() => {
        watchers.delete(watcher)
        reject(new Error(`${name} did not record within ${patienceMs} ms: ${what}`))
      }, patienceMs)
      if (!look()) watchers.add(watcher)
      return promise
    },
    async stop() {
      await channel.ask('close')
      // Everything is closed and on disk: the process has nothing left to do.
      await kill()
      await ended
    },
    kill,
  }
}
