import { connectNats } from '@parley/transport-nats'
import { describe, expect, it } from 'vitest'
import { startScriptedServer } from './scripted-server.ts'

const service = {
  name: 'acme_shop',
  id: 'z6Mk',
  version: '1.0.0',
  description: '',
  metadata: {},
  startedAtMs: 0,
  endpoints: [],
}

describe('the transport over NATS', () => {
  it('gives a renewal up that the server does not answer, and is used on', async () => {
    for (const lastAnswered of [1, 2]) {
      await using server = await startScriptedServer({
        answers: (connection, ping) => connection === 1 || ping <= lastAnswered,
      })
      const transport = await connectNats({ servers: server.url, connectTimeoutMs: 200 })
      await transport.subscribe('a.b', () => undefined)
      await expect(transport.renew()).rejects.toMatchObject({ code: 'transport.disconnected' })
      expect(transport.status()).toBe('connected')
      await transport.subscribe('a.c', () => undefined)
      await transport.close()
    }
  })

  it('moves to a connection that the server answers on', async () => {
    await using server = await startScriptedServer()
    const transport = await connectNats({ servers: server.url, connectTimeoutMs: 200 })
    await transport.subscribe('a.b', () => undefined)
    await transport.renew()
    await transport.flush()
    expect(server.subscriptions()).toBe(1)
    await transport.close()
  })

  it('listens to no question of the services API where it may not listen to all of them', async () => {
    await using server = await startScriptedServer({ permits: (subject) => !subject.startsWith('$SRV.STATS') })
    const transport = await connectNats({ servers: server.url })
    await expect(transport.answerServices(() => service)).rejects.toMatchObject({ code: 'transport.not-permitted' })
    await transport.flush()
    expect(server.subscriptions()).toBe(0)
    await transport.close()
  })
})
