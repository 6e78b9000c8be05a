import { formatBounceSubject, formatInboxSubject } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { openShop, shop } from './shop.ts'
import { createStranger } from './stranger.ts'

const status503 = new TextEncoder().encode('NATS/1.0 503\r\n\r\n')

describe('a forged "no responders"', () => {
  it('settles nothing, wherever it is published: what was asked stays asked', async () => {
    const { promise, resolve } = Promise.withResolvers<{ receipt: string }>()
    await using open = await openShop({ buy: () => promise })
    const attempts: string[] = []
    const { desk, mesh } = open
    const stranger = createStranger(mesh)
    const me = desk.instance
    const asked = open.buy()
    await mesh.clock.settle()
    for (const subject of [
      formatInboxSubject('main', me, me),
      formatInboxSubject('main', me, open.counter.instance),
      formatInboxSubject('main', me, stranger.did),
      formatBounceSubject('main', me, 'A'.repeat(16)),
    ])
      for (const data of [new Uint8Array(), status503]) {
        stranger.transport.publish(subject, data)
        attempts.push(subject)
        await mesh.clock.settle()
      }
    resolve({ receipt: 'kept' })
    expect(await asked).toMatchObject({ kind: 'ok', output: { receipt: 'kept' } })
    await mesh.clock.advance(1_001)
    const rejected = mesh.recordsOf(desk).filter(({ kind }) => kind === 'rejected')
    expect(rejected.map(({ codes }) => codes)).toEqual([[`iatp.frame-malformed=${String(attempts.length)}`]])
  })

  it('does not reach an earlier attempt: what the bus says of one frame says nothing of another', async () => {
    const { promise, resolve } = Promise.withResolvers<{ receipt: string }>()
    await using open = await openShop({ buy: () => promise })
    const first = open.buy('first')
    await open.mesh.clock.settle()
    open.mesh.disconnect(open.counter)
    expect(await open.desk.tryCall(shop.look, { item: 'lamp' })).toMatchObject({ code: 'transport.no-listener' })
    await open.mesh.reconnect(open.counter)
    resolve({ receipt: 'late' })
    expect(await first).toMatchObject({ kind: 'ok', output: { receipt: 'late' } })
  })
})
