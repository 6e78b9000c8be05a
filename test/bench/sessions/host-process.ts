import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { HostSight } from './host.ts'

/** The process of the measured node. */
export interface HostProcess extends AsyncDisposable {
  look(): Promise<HostSight>
}

/** Starts the measured node. It ends with this process. */
export async function startHost(url: string, dir: string): Promise<HostProcess> {
  const child = fork(join(import.meta.dirname, 'host.ts'), [url, dir])
  const ended = once(child, 'exit')
  const nextMessage = async (): Promise<unknown> => {
    const [told] = (await Promise.race([once(child, 'message'), ended])) as readonly unknown[]
    if (child.exitCode !== null) throw new Error(`the host ended with code ${String(child.exitCode)}`)
    return told
  }
  await nextMessage()
  return {
    async look() {
      child.send('look')
      return (await nextMessage()) as HostSight
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}
