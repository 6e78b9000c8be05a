import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A connection in the middle whose two directions can be stopped and let go on, or cut. */
export interface StallingProxy extends AsyncDisposable {
  readonly url: string
  /** Holds back what goes `to` one side; nothing is lost, all of it comes later. */
  stall(to: 'client' | 'server'): void
  resume(): void
  /** Ends all connections, with what was held back. */
  cut(): void
}

/** Starts a proxy on loopback before a port. */
export async function startStallingProxy(port: number): Promise<StallingProxy> {
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket }>()
  const stalled = new Set<'client' | 'server'>()
  const listener = createServer((client) => {
    const pair = { client, server: connect(port, '127.0.0.1') }
    pairs.add(pair)
    const end = (): void => {
      pairs.delete(pair)
      for (const socket of Object.values(pair)) socket.destroy()
    }
    for (const [from, to] of [
      ['client', 'server'],
      ['server', 'client'],
    ] as const) {
      pair[from].on('data', (bytes) => pair[to].write(bytes))
      pair[from].on('close', end).on('error', end)
      if (stalled.has(to)) pair[from].pause()
    }
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const cut = (): void => {
    for (const { client, server } of pairs) for (const socket of [client, server]) socket.destroy()
  }
  return {
    url: `nats://127.0.0.1:${String((listener.address() as AddressInfo).port)}`,
    stall(to) {
      stalled.add(to)
      for (const pair of pairs) pair[to === 'client' ? 'server' : 'client'].pause()
    },
    resume() {
      stalled.clear()
      for (const { client, server } of pairs) for (const socket of [client, server]) socket.resume()
    },
    cut,
    async [Symbol.asyncDispose]() {
      cut()
      await once(listener.close(), 'close')
    },
  }
}
