import { fork } from 'node:child_process'
import { once } from 'node:events'
import { measureLoad, type Load } from './measure-load.ts'

/** A process of a contestant. It ends with this process. */
export interface BenchProcess extends AsyncDisposable {
  /** Asks for its processor time so far, in milliseconds. */
  cpuMs(): Promise<number>
  /** Has it do its work; only a process that serves rounds can. */
  measure(inFlight: number, durationMs: number): Promise<Load>
}

type Question =
  | { readonly ask: 'cpu' }
  | { readonly ask: 'measure'; readonly inFlight: number; readonly durationMs: number }

/** Starts a script as a process of its own, and resolves when it says that it is ready. */
export async function startBenchProcess(script: string, args: readonly string[]): Promise<BenchProcess> {
  const child = fork(script, [...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' })
  const ended = once(child, 'exit')
  const hear = async (): Promise<unknown> => {
    const [said] = (await Promise.race([once(child, 'message'), ended.then(() => ['ended'])])) as readonly unknown[]
    if (said === 'ended') throw new Error(`${script} ended early, with code ${String(child.exitCode)}`)
    return said
  }
  if ((await hear()) !== 'ready') throw new Error(`${script} did not say that it is ready`)
  const ask = async (question: Question): Promise<unknown> => {
    const answer = hear()
    child.send(question)
    return answer
  }
  return {
    cpuMs: async () => (await ask({ ask: 'cpu' })) as number,
    measure: async (inFlight, durationMs) => (await ask({ ask: 'measure', inFlight, durationMs })) as Load,
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

/**
 * Says in a started process that it is ready, answers what its starter asks, and resolves when it shall end. `work` is what
 * it does in a round, if it does anything by itself.
 */
export async function serveBench(work?: () => Promise<unknown>): Promise<void> {
  const released = once(process, 'disconnect')
  process.on('message', (question: Question) => {
    if (question.ask === 'cpu') process.send?.(readCpuMs())
    else if (work) {
      void measureLoad(work, question.inFlight, question.durationMs).then((load) => process.send?.(load))
    }
  })
  process.send?.('ready')
  await released
}

function readCpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
