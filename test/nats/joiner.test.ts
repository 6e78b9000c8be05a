import { createKeySigner, createNatsAccount, generateSeed, generateUserNkey } from '@parley/identity'
import { formatEventPattern, formatEventSubject, formatInboxPattern, formatInboxSubject } from '@parley/protocol'
import { connectNats, type NatsTransport } from '@parley/transport-nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collect, hourMs, mesh, random, reach, seeds, startOperatorFence } from './fence.ts'

describe('a joiner behind a fence of an operator', () => {
  let fence: Awaited<ReturnType<typeof startOperatorFence>>
  const { did: me } = createKeySigner(generateSeed(random))
  const { nkey, seed } = generateUserNkey(random)
  const enter = async (lifeMs = hourMs): Promise<NatsTransport> => {
    const request = { nkey, key: me, issuer: fence.right.did, expiresAtMs: Date.now() + lifeMs }
    const jwt = await createNatsAccount(fence.facts, seeds).mintJoiner?.(request)
    return connectNats({ servers: fence.server.url, maxReconnectAttempts: 0, nkey: seed, jwt: jwt ?? '' })
  }
  beforeAll(async () => {
    fence = await startOperatorFence()
  })
  afterAll(async () => {
    await fence.server.stop()
  })

  it('asks its issuer, hears its answers, and publishes and hears nothing else', async () => {
    const { did: issuer, login } = fence.right
    const operator = await connectNats({ servers: fence.server.url, ...fence.operator })
    const right = await connectNats({ servers: fence.server.url, ...login })
    const joiner = await enter()
    const seen = await collect(operator, '>')
    const asked = await collect(right, formatInboxPattern(mesh, issuer))
    const answers = await collect(joiner, formatInboxSubject(mesh, me, issuer))
    for (const subject of [
      formatInboxSubject(mesh, fence.left.did, me),
      formatInboxSubject(mesh, issuer, fence.left.did),
      formatInboxSubject('other', issuer, me),
      formatEventSubject(mesh, 'who', me),
      formatEventSubject(mesh, 'card', me),
      `iatp.1.${mesh}.mailbox.${fence.right.mailbox}.${me.slice(8)}`,
      '_INBOX.ops.x',
      '$SRV.PING',
      '$JS.API.INFO',
      'anything',
    ])
      joiner.publish(subject, Uint8Array.of(1))
    joiner.publish(formatInboxSubject(mesh, issuer, me), Uint8Array.of(2))
    await joiner.flush()
    right.publish(formatInboxSubject(mesh, me, issuer), Uint8Array.of(3))
    await right.flush()
    await Promise.all([joiner.flush(), operator.flush()])
    expect(asked.map(({ data }) => [...data])).toEqual([[2]])
    expect(answers.map(({ data }) => [...data])).toEqual([[3]])
    expect(seen).toHaveLength(2)
    for (const pattern of [
      '>',
      formatInboxPattern(mesh, me),
      formatInboxPattern(mesh, issuer),
      formatInboxSubject(mesh, me, fence.left.did),
      formatEventPattern(mesh, 'card'),
      formatEventSubject(mesh, 'card', issuer),
      '$SRV.>',
      '_INBOX.>',
      `iatp.1.${mesh}.*.${issuer.slice(8)}`,
    ])
      await expect(
        joiner.subscribe(pattern, () => {}),
        pattern,
      ).rejects.toMatchObject({ code: 'transport.not-permitted' })
    await Promise.all([operator, right, joiner].map((each) => each.close()))
  })

  it('is cut off when its token lapses, and does not come in with it again', async () => {
    const joiner = await enter(1_500)
    await reach(joiner, 'closed')
    await expect(enter(-2_000)).rejects.toMatchObject({ code: 'transport.connect-failed' })
  })
})
