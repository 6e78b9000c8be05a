import { fork } from 'node:child_process'
import { once } from 'node:events'

/** The other process of a contestant. */
export interface Responder extends AsyncDisposable {
  /** Throws if the process ended. */
  assertRunning(): void
}

/** Starts a script as a process of its own, and resolves when it says that it is ready. It ends with this process. */
export async function startResponder(script: string, args: readonly string[]): Promise<Responder> {
  const child = fork(script, [...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const ended = once(child, 'exit')
  const [said] = (await Promise.race([once(child, 'message'), ended])) as readonly unknown[]
  if (said !== 'ready') throw new Error(`${script} ended before it was ready, with code ${String(child.exitCode)}`)
  return {
    assertRunning() {
      if (child.exitCode !== null) throw new Error(`${script} ended with code ${String(child.exitCode)}`)
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

/** Says in a started process that it is ready, and resolves when the process that started it wants it to end. */
export async function serveUntilReleased(): Promise<void> {
  const released = once(process, 'disconnect')
  process.send?.('ready')
  await released
}
