import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectClient, headers, nkeys } from '@nats-io/transport-node'
import { transportConformance } from '@parley/conformance'
import { findNatsServer, startNatsServer, type NatsServerBinary, type RunningNatsServer } from '@parley/nats-server'
import type { Delivery, Transport, TransportStatus } from '@parley/ports'
import { connectNats, type NatsOptions } from '@parley/transport-nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const cacheDir = join(import.meta.dirname, '../../.parley/cache')
let binary: NatsServerBinary
let server: RunningNatsServer

beforeAll(async () => {
  binary = await findNatsServer({ env: process.env, cacheDir })
  server = await startNatsServer({ binary })
}, 180_000)
afterAll(async () => {
  await server.stop()
})

const connect = (options: Partial<NatsOptions> = {}): ReturnType<typeof connectNats> =>
  connectNats({ servers: server.url, reconnectWaitMs: 20, ...options })

/** Listens on a free port of loopback and resolves with it. */
async function listen(listener: Server): Promise<number> {
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return (listener.address() as AddressInfo).port
}

/** Resolves when the transport has, or gets, a status. */
function reach(transport: Transport, wanted: TransportStatus): Promise<void> {
  return new Promise((resolve) => {
    const check = (status: TransportStatus): void => {
      if (status !== wanted) return
      stop()
      resolve()
    }
    const stop = transport.onStatus(check)
    check(transport.status())
  })
}

transportConformance({ describe, it, expect }, 'transport-nats', async () => {
  const believing = { believesBounces: true }
  const [left, right] = [await connect(believing), await connect(believing)]
  const both = (status: TransportStatus): Promise<unknown> =>
    Promise.all([left, right].filter((each) => each.status() !== 'closed').map((each) => reach(each, status)))
  let isDown = false
  return {
    left,
    right,
    bounces: true,
    async disconnect() {
      isDown = true
      await server.kill()
      await both('disconnected')
    },
    async reconnect() {
      await server.restart()
      isDown = false
      await both('connected')
    },
    async dispose() {
      await Promise.all([left.close(), right.close()])
      if (isDown) await server.restart()
    },
  }
})

describe('connectNats', () => {
  it('says what is there: name, version, limits', async () => {
    const transport = await connect()
    expect(transport.serverInfo()).toMatchObject({
      version: binary.version,
      maxPayloadBytes: transport.maxPayloadBytes,
    })
    await transport.close()
  })
  it('T42: goes on dialling a server that stays away, and works when it is back', async () => {
    const transport = await connect()
    await server.kill()
    await reach(transport, 'disconnected')
    await server.restart()
    await reach(transport, 'connected')
    await expect(transport.flush()).resolves.toBeUndefined()
    await transport.close()
  })
  it('closes for good when it may not dial again', async () => {
    const own = await startNatsServer({ binary })
    const transport = await connect({ servers: own.url, maxReconnectAttempts: 1 })
    await own.stop()
    await reach(transport, 'closed')
    expect(() => {
      transport.publish('t', new Uint8Array(0))
    }).toThrow(expect.objectContaining({ code: 'transport.closed' }))
    await transport.close()
  })
  it('rejects a flush whose answer never comes', async () => {
    const sockets: Socket[] = []
    const info = { server_id: 'x', server_name: 'mute', version: '2.15.1', proto: 1, max_payload: 1_024 }
    const mute = createServer((socket) => {
      sockets.push(socket)
      socket.write(`INFO ${JSON.stringify(info)}\r\n`)
      socket.once('data', () => socket.write('PONG\r\n')).on('error', () => socket.destroy())
    })
    const port = await listen(mute)
    const transport = await connect({ servers: `nats://127.0.0.1:${port}` })
    mute.close()
    const flushed = transport.flush()
    for (const socket of sockets) socket.destroy()
    await expect(flushed).rejects.toMatchObject({ code: 'transport.disconnected' })
    await transport.close()
  })
  it('rejects with what to do when nobody listens', async () => {
    const listener = createServer()
    const port = await listen(listener)
    listener.close()
    await once(listener, 'close')
    await expect(connect({ servers: `nats://127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'transport.connect-failed',
      message: expect.stringContaining('start a nats-server'),
    })
  })
  it('rejects with what to do when something else listens and says nothing', async () => {
    const listener = createServer()
    const port = await listen(listener)
    await expect(connect({ servers: `nats://127.0.0.1:${port}`, connectTimeoutMs: 50 })).rejects.toMatchObject({
      code: 'transport.connect-failed',
    })
    listener.close()
  })
  it('logs in with token, user or nkey, and leaks none of them when it is refused', async () => {
    const [known, stranger] = [nkeys.createUser(), nkeys.createUser()]
    const seed = (pair: typeof known): string => new TextDecoder().decode(pair.getSeed())
    const logins: readonly { config: string; good: Partial<NatsOptions>; bad: Partial<NatsOptions> }[] = [
      { config: 'token: s3cret', good: { token: 's3cret' }, bad: { token: 'wr0ng' } },
      {
        config: 'users: [{ user: ada, password: s3cret }]',
        good: { user: 'ada', pass: 's3cret' },
        bad: { user: 'ada', pass: 'wr0ng' },
      },
      {
        config: `users: [{ nkey: ${known.getPublicKey()} }]`,
        good: { nkey: seed(known) },
        bad: { nkey: seed(stranger) },
      },
    ]
    for (const { config, good, bad } of logins) {
      await using own = await startNatsServer({ binary, config: `authorization { ${config} }` })
      const transport = await connect({ servers: own.url, ...good })
      expect(transport.status()).toBe('connected')
      await transport.close()
      const servers = own.url.replace('nats://', 'nats://eve:wr0ng@')
      await expect(connect({ ...bad, servers })).rejects.toMatchObject({
        code: 'transport.connect-failed',
        message: `Cannot connect to ${own.url}: Authorization Violation; check token, user or nkey.`,
      })
    }
  })
  it('T43: tells nobody that nobody listens where there is no fence', async () => {
    const transport = await connect()
    const got: Delivery[] = []
    await transport.subscribe('me.*', (delivery) => got.push(delivery))
    transport.publish('nobody', Uint8Array.of(1), 'me.1')
    await transport.flush()
    const stranger = await connectClient({ servers: server.url })
    const forged = headers(503, 'No Responders')
    stranger.publish('me.2', new Uint8Array(), { headers: forged })
    await stranger.flush()
    await transport.flush()
    expect(got).toEqual([{ subject: 'me.2', data: new Uint8Array() }])
    await Promise.all([transport.close(), stranger.close()])
  })
  it('T44: never answers the reply subject of a message, and hands over no more than subject and bytes', async () => {
    const [transport, stranger] = [await connect(), await connectClient({ servers: server.url })]
    const trapped: string[] = []
    stranger.subscribe('trap', { callback: (_error, { subject }) => void trapped.push(subject) })
    const { promise: delivered, resolve } = Promise.withResolvers<Delivery>()
    await transport.subscribe('t', resolve)
    const tricky = headers()
    tricky.set('Nats-Msg-Id', '1')
    stranger.publish('t', Uint8Array.of(1), { reply: 'trap', headers: tricky })
    expect(await delivered).toEqual({ subject: 't', data: Uint8Array.of(1) })
    await transport.flush()
    await stranger.flush()
    expect(trapped).toEqual([])
    await Promise.all([transport.close(), stranger.close()])
  })
  it('refuses a subscription that the server does not permit', async () => {
    const config =
      'authorization { default_permissions { publish: ">", subscribe: "open.>" }, users: [{ user: a, password: b }] }'
    await using own = await startNatsServer({ binary, config })
    const transport = await connect({ servers: own.url, user: 'a', pass: 'b' })
    await expect(transport.subscribe('secret.>', () => {})).rejects.toMatchObject({ code: 'transport.not-permitted' })
    await transport.subscribe('open.>', () => {})
    await transport.close()
  })
})
