import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'

/** A server that speaks just enough NATS to do what a real one does only at the worst moment. */
export interface ScriptedServer extends AsyncDisposable {
  readonly url: string
  /** How many subscriptions of all connections stand. */
  subscriptions(): number
}

/** Starts a server on loopback. `answers` says to which ping of which connection it answers, both from 1. */
export async function startScriptedServer(
  script: {
    readonly answers?: (connection: number, ping: number) => boolean
    readonly permits?: (subject: string) => boolean
  } = {},
): Promise<ScriptedServer> {
  const { answers = () => true, permits = () => true } = script
  const sockets = new Set<Socket>()
  const subscribed = new Set<string>()
  let connections = 0
  const listener = createServer((socket) => {
    const connection = ++connections
    let pings = 0
    let text = ''
    sockets.add(socket)
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
    socket.write(`INFO ${JSON.stringify({ server_name: 'scripted', version: '2.10.0', max_payload: 1_048_576 })}\r\n`)
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (text + chunk).split('\r\n')
      text = lines.pop() ?? ''
      for (const line of lines) {
        const [verb, ...words] = line.split(' ')
        const id = `${String(connection)} ${words.at(verb === 'UNSUB' ? 0 : -1) ?? ''}`
        if (verb === 'PING' && answers(connection, ++pings)) socket.write('PONG\r\n')
        if (verb === 'UNSUB') subscribed.delete(id)
        if (verb !== 'SUB') continue
        if (permits(words[0] ?? '')) subscribed.add(id)
        else socket.write(`-ERR 'Permissions Violation for Subscription to "${words[0] ?? ''}"'\r\n`)
      }
    })
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    url: `nats://127.0.0.1:${String((listener.address() as AddressInfo).port)}`,
    subscriptions: () => subscribed.size,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await once(listener.close(), 'close')
    },
  }
}
