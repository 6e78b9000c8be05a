import { constants } from 'node:os'

/** What a person or the system may send to end the demo. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The wish to end early. */
export interface Interruption {
  /** Resolves with the exit code that shells give to the signal that came. */
  readonly interrupted: Promise<number>
  /** Listens no longer. */
  stop(): void
}

/** Listens for signals, and for a reader that has enough (`parley demo | head`), so that what was started is ended in order. */
export function watchInterruption(): Interruption {
  const { promise, resolve } = Promise.withResolvers<number>()
  const listeners = signals.map((signal) => {
    const listener = (): void => resolve(128 + constants.signals[signal])
    process.on(signal, listener)
    return { signal, listener }
  })
  const outputs = [process.stdout, process.stderr]
  const endWithReader = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error
    resolve(128 + constants.signals.SIGPIPE)
  }
  for (const output of outputs) output.on('error', endWithReader)
  return {
    interrupted: promise,
    stop() {
      for (const { signal, listener } of listeners) process.off(signal, listener)
      for (const output of outputs) output.off('error', endWithReader)
    },
  }
}
