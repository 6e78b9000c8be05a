import { fork } from 'node:child_process'
import { once } from 'node:events'
import { measureLoad, type Load } from './measure-load.ts'

/** What a process counted, by name. */
export type Facts = Readonly<Record<string, number>> & { readonly cpuMs: number }

/** A process of a contestant. It ends with this process. */
export interface BenchProcess extends AsyncDisposable {
  /** Asks for its processor time so far in milliseconds, and for what else it counts. */
  facts(): Promise<Facts>
  /** Has it do its work; only a process that has some can. */
  measure(inFlight: number, durationMs: number): Promise<Load>
  /** Has it say what is in force, for instance how durable its writes are; only a process that knows can. */
  describe(): Promise<string>
}

type Question =
  | { readonly ask: 'facts' }
  | { readonly ask: 'describe' }
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
    facts: async () => (await ask({ ask: 'facts' })) as Facts,
    measure: async (inFlight, durationMs) => (await ask({ ask: 'measure', inFlight, durationMs })) as Load,
    describe: async () => (await ask({ ask: 'describe' })) as string,
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

/** What a started process does beside answering. */
export interface BenchDuty {
  /** Done over and over in a round. */
  readonly work?: () => Promise<unknown>
  /** A whole round, where it is not one piece of work over and over. */
  readonly measure?: (inFlight: number, durationMs: number) => Promise<Load>
  /** What it counts. */
  readonly facts?: () => Readonly<Record<string, number>>
  /** What is in force, read back from where it is. */
  readonly describe?: () => string | Promise<string>
}

/** Says in a started process that it is ready, answers what its starter asks, and resolves when it shall end. */
export async function serveBench({ work, measure, facts, describe }: BenchDuty = {}): Promise<void> {
  const released = once(process, 'disconnect')
  const runRound =
    measure ?? (work && ((inFlight: number, durationMs: number) => measureLoad(work, inFlight, durationMs)))
  process.on('message', (question: Question) => {
    if (question.ask === 'facts') process.send?.({ ...facts?.(), cpuMs: readCpuMs() })
    else if (question.ask === 'describe') void Promise.resolve(describe?.()).then((said) => process.send?.(said ?? ''))
    else if (runRound) void runRound(question.inFlight, question.durationMs).then((load) => process.send?.(load))
  })
  process.send?.('ready')
  await released
}

function readCpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
