import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { SagaCommand } from '@parley/mesh'
import type { Order, Report, StopPoint } from './participant-process.ts'

/** A participant's process, seen from its orchestrator. */
export interface ParticipantProcess {
  /** Sends a command; resolves with the answer. */
  ask(on: 'pg' | 'sqlite', saga: SagaCommand): Promise<unknown>
  /** Sends a command that stops somewhere; resolves when it is there, with its answer if it goes on. */
  stopAt(on: 'pg' | 'sqlite', saga: SagaCommand, point: StopPoint): Promise<{ readonly answer: Promise<unknown> }>
  goOn(): void
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
}

/** Starts a participant's process over the databases that the ones before it used. */
export async function startParticipant(pgHost: string, sqlitePath: string): Promise<ParticipantProcess> {
  const child = fork(join(import.meta.dirname, 'participant-process.ts'), [pgHost, sqlitePath], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  const answers = new Map<number, (answer: unknown) => void>()
  const stops = new Map<number, () => void>()
  const ready = new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the participant ended with ${code}`)))
    child.on('message', (report: Report) => {
      if (report === 'ready') resolve()
      else if (report.stopped) stops.get(report.id)?.()
      else answers.get(report.id)?.(report.answer)
    })
  })
  let count = 0
  const send = (order: Order): void => void child.send(order)
  await ready
  const ask = (on: 'pg' | 'sqlite', saga: SagaCommand, stopAt?: StopPoint): Promise<unknown> => {
    const id = count++
    const { promise, resolve } = Promise.withResolvers<unknown>()
    answers.set(id, resolve)
    send({ id, on, saga, ...(stopAt && { stopAt }) })
    return promise
  }
  return {
    ask: (on, saga) => ask(on, saga),
    async stopAt(on, saga, point) {
      const stopped = Promise.withResolvers<undefined>()
      stops.set(count, () => stopped.resolve(undefined))
      const answer = ask(on, saga, point)
      await stopped.promise
      return { answer }
    },
    goOn: () => send('go-on'),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
