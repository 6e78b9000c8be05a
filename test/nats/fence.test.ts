import { encodeUser } from '@nats-io/jwt'
import { createNatsAccount, createNkey, generateUserNkey } from '@parley/identity'
import { type Delivery } from '@parley/ports'
import {
  formatBounceSubject,
  formatEventPattern,
  formatEventSubject,
  formatInboxPattern,
  formatInboxSubject,
  formatInstanceToken,
  isMeshError,
} from '@parley/protocol'
import { connectNats, type NatsOptions, type NatsTransport } from '@parley/transport-nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  collect,
  createMember,
  enrol,
  hourMs,
  mesh,
  random,
  reach,
  seeds,
  startOperatorFence,
  startStaticFence,
  type Fence,
} from './fence.ts'

for (const [kind, start] of [
  ['a list of users', startStaticFence],
  ['an operator', startOperatorFence],
] as const)
  describe(`a fence of ${kind}`, () => {
    let fence: Fence
    let left: NatsTransport
    let right: NatsTransport
    let operator: NatsTransport
    const enter = (login: Partial<NatsOptions>): Promise<NatsTransport> =>
      connectNats({ servers: fence.server.url, maxReconnectAttempts: 0, ...login })
    beforeAll(async () => {
      fence = await start()
      left = await enter(fence.left.login)
      right = await enter(fence.right.login)
      operator = await enter(fence.operator)
    })
    afterAll(async () => {
      await Promise.all([left, right, operator].map((each) => each.close()))
      await fence.server.stop()
    })

    it('lets an instance send to any inbox and announce itself, under its own name', async () => {
      const { did: me } = fence.left
      const { did: you, mailbox } = fence.right
      const seen = await collect(operator, '>')
      const inbox = await collect(right, formatInboxPattern(mesh, you))
      const events = await collect(right, formatEventPattern(mesh, 'card'))
      const late = await collect(right, `iatp.1.${mesh}.mailbox.${mailbox}.*`)
      const sent = [
        formatInboxSubject(mesh, you, me),
        formatEventSubject(mesh, 'card', me),
        `iatp.1.${mesh}.mailbox.${mailbox}.${formatInstanceToken(me)}`,
      ]
      for (const subject of sent) left.publish(subject, Uint8Array.of(1))
      await left.flush()
      await right.flush()
      await operator.flush()
      expect([inbox, events, late].map((each) => each.map(({ subject }) => subject))).toEqual(
        sent.map((subject) => [subject]),
      )
      expect(seen.map(({ subject }) => subject)).toEqual(sent)
    })

    it('carries nothing that an instance publishes as another, to itself, or elsewhere', async () => {
      const { did: me, mailbox } = fence.left
      const { did: you } = fence.right
      const seen = await collect(operator, '>')
      for (const subject of [
        formatInboxSubject(mesh, you, you),
        formatInboxSubject(mesh, me, you),
        formatBounceSubject(mesh, you, 'attempt'),
        formatEventSubject(mesh, 'card', you),
        formatEventSubject('other', 'card', me),
        formatInboxSubject('other', you, me),
        `iatp.1.${mesh}.mailbox.${mailbox}.${formatInstanceToken(you)}`,
        '_INBOX.someone',
        '$SRV.PING',
        '$SYS.REQ.SERVER.PING',
        '$JS.API.INFO',
        'anything',
      ])
        left.publish(subject, Uint8Array.of(1))
      left.publish(formatInboxSubject(mesh, you, me), Uint8Array.of(2))
      await left.flush()
      await operator.flush()
      expect(seen).toEqual([{ subject: formatInboxSubject(mesh, you, me), data: Uint8Array.of(2) }])
    })

    it('refuses to let an instance listen to another inbox, mailbox, mesh, or to everything', async () => {
      const { did: me } = fence.left
      const { did: you, mailbox } = fence.right
      for (const pattern of [
        '>',
        'iatp.>',
        `iatp.1.${mesh}.>`,
        `iatp.1.${mesh}.*.*`,
        formatInboxPattern(mesh, you),
        formatInboxSubject(mesh, you, me),
        `iatp.1.${mesh}.mailbox.${mailbox}.*`,
        `iatp.1.${mesh}.mailbox.*.*`,
        formatInboxPattern('other', me),
        '_INBOX.>',
        '$SYS.>',
      ])
        await expect(
          left.subscribe(pattern, () => {}),
          pattern,
        ).rejects.toMatchObject({ code: 'transport.not-permitted' })
    })

    it('lets no stranger connect, whatever it says', async () => {
      const stranger = generateUserNkey(random)
      for (const login of [
        {},
        { user: 'acme/left', pass: 'x' },
        { token: 'x' },
        { nkey: stranger.seed },
        // The token of another, with a key of one's own.
        ...(fence.left.login.jwt === undefined ? [] : [{ nkey: stranger.seed, jwt: fence.left.login.jwt }]),
      ])
        await expect(enter(login)).rejects.toMatchObject({ code: 'transport.connect-failed' })
    })

    it('T43: tells a sender that nobody listens, on its own subject and nowhere else', async () => {
      const { did: me } = fence.left
      const absent = createMember('absent').did
      const bounces = await collect(left, formatInboxPattern(mesh, me))
      const subject = formatBounceSubject(mesh, me, 'attempt-1')
      left.publish(formatInboxSubject(mesh, absent, me), Uint8Array.of(1))
      left.publish(formatInboxSubject(mesh, absent, me), Uint8Array.of(1), subject)
      await left.flush()
      expect(bounces).toEqual([{ subject, data: new Uint8Array(0), isBounce: true }])
    })
  })

describe('a fence of an operator', () => {
  let fence: Awaited<ReturnType<typeof startOperatorFence>>
  beforeAll(async () => {
    fence = await startOperatorFence()
  })
  afterAll(async () => {
    await fence.server.stop()
  })
  const enter = (options: Partial<NatsOptions>): Promise<NatsTransport> =>
    connectNats({ servers: fence.server.url, reconnectWaitMs: 50, ...options })

  it('lets a new instance in without a reload', async () => {
    const transport = await enter((await enrol(fence.facts, 'newcomer')).login)
    expect(transport.status()).toBe('connected')
    await transport.close()
  })

  it('cuts off an instance whose token lapsed, and lets it in again with a new one', async () => {
    const member = await enrol(fence.facts, 'brief', 1_500)
    let jwt = member.login.jwt as string
    const transport = await enter({ nkey: member.key.seed, jwt: () => jwt })
    await reach(transport, 'disconnected')
    expect(() => {
      transport.publish('t', new Uint8Array())
    }).toThrow(expect.objectContaining({ code: 'transport.disconnected' }))
    const { login } = await enrol(fence.facts, 'late', -2_000)
    await expect(enter(login)).rejects.toMatchObject({ code: 'transport.connect-failed' })
    const { agent, did: instance, key } = member
    jwt = await createNatsAccount(fence.facts, seeds).mintUser({
      nkey: key.nkey,
      instance,
      agent,
      expiresAtMs: Date.now() + hourMs,
    })
    await reach(transport, 'connected')
    await transport.close()
  })

  it('gives the holder of the signing key no more than instances of this mesh, whatever it writes into a token', async () => {
    const { account } = fence.facts
    const { seed: signer } = createNkey('A', seeds.signing)
    const exp = Math.floor(Date.now() / 1000) + 3_600
    const all = { pub: { allow: ['>'] }, sub: { allow: ['>'] } }
    for (const [name, claims, scopedUser] of [
      ['z6MkMe', all, false],
      ['z6MkMe', all, true],
      ['*', { tags: ['agent:x'] }, true],
      ['>', { tags: ['agent:x'] }, true],
      ['z6MkMe', { tags: ['agent:*'] }, true],
      ['z6MkMe', {}, true],
    ] as const) {
      const key = generateUserNkey(random)
      const jwt = await encodeUser(name, key.nkey, account.id, structuredClone<object>(claims), {
        signer,
        scopedUser,
        exp,
      })
      const seen = await peep({ nkey: key.seed, jwt })
      expect(seen, `${name} ${JSON.stringify(claims)}`).toEqual([])
    }
  })

  /** Tries to listen to what no instance may, and tells what it could listen to. */
  async function peep(login: Partial<NatsOptions>): Promise<readonly string[]> {
    const transport = await enter({ ...login, maxReconnectAttempts: 0 }).catch((error: unknown) => {
      if (isMeshError(error) && error.code === 'transport.connect-failed') return undefined
      throw error
    })
    if (!transport) return []
    const open: string[] = []
    for (const pattern of ['>', 'iatp.1.other.*.*', `iatp.1.${mesh}.>`, '_INBOX.>', '$SYS.>'])
      await transport
        .subscribe(pattern, () => {})
        .then(
          () => open.push(pattern),
          (error: unknown) => {
            expect(error).toMatchObject({ code: 'transport.not-permitted' })
          },
        )
    await transport.close()
    return open
  }

  it('I4: renews a token under load, losing nothing and handing nothing over twice', async () => {
    const { did: me, login } = fence.left
    const { did: you } = fence.right
    let logins = 0
    const jwt = (): string => {
      logins += 1
      return login.jwt as string
    }
    const [left, right] = [await enter(login), await enter({ ...fence.right.login })]
    const renewed = await enter({ nkey: fence.left.key.seed, jwt })
    await left.close()
    const got: number[] = []
    const back: number[] = []
    const read = ({ data }: Delivery): number => new DataView(data.buffer, data.byteOffset).getUint32(0)
    await right.subscribe(formatInboxPattern(mesh, you), (delivery) => {
      got.push(read(delivery))
      right.publish(formatInboxSubject(mesh, me, you), delivery.data)
    })
    await renewed.subscribe(formatInboxPattern(mesh, me), (delivery) => back.push(read(delivery)))
    let sent = 0
    let over = false
    const load = (async () => {
      while (!over) {
        for (let each = 0; each < 10; each++) {
          const data = new Uint8Array(4)
          new DataView(data.buffer).setUint32(0, sent++)
          renewed.publish(formatInboxSubject(mesh, you, me), data)
        }
        await renewed.flush()
      }
    })()
    for (let round = 0; round < 5; round++) await renewed.renew()
    over = true
    await load
    await right.flush()
    await right.flush()
    await renewed.flush()
    expect(logins).toBeGreaterThanOrEqual(6)
    const all = Array.from({ length: sent }, (_, index) => index)
    expect(got.toSorted((one, other) => one - other)).toEqual(all)
    expect(back.toSorted((one, other) => one - other)).toEqual(all)
    await Promise.all([renewed.close(), right.close()])
  })
})
