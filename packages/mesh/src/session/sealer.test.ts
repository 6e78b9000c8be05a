import { createKeySigner, generateSeed } from '@parley/identity'
import { createManualClock, createSeededRandom, systemHash, type ManualClock, type Transport } from '@parley/ports'
import { decodeFrame, limits, type InstanceDid } from '@parley/protocol'
import { createMemoryBus } from '@parley/transport-memory'
import { describe, expect, it } from 'vitest'
import { createBodyKeys } from './body-keys.ts'
import { createSealer, type SealedEnvelope, type Sealer } from './sealer.ts'

const random = createSeededRandom(31)
const signer = createKeySigner(generateSeed(random))
const peers = [createKeySigner(generateSeed(random)).did, createKeySigner(generateSeed(random)).did] as const

/** A bus that keeps what is published to it. */
function createKeepingBus(): { readonly transport: Transport; readonly published: Uint8Array[] } {
  const published: Uint8Array[] = []
  const transport: Transport = {
    kind: 'kept',
    maxPayloadBytes: 1_048_576,
    status: () => 'connected',
    onStatus: () => () => undefined,
    publish: (_, data) => published.push(data),
    subscribe: () => Promise.resolve(() => undefined),
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
  return { transport, published }
}

function open(maxEnvelopes: number = limits.frameEnvelopes): {
  readonly clock: ManualClock
  readonly sealer: Sealer
  readonly published: readonly Uint8Array[]
  readonly sizes: () => readonly number[]
} {
  const clock = createManualClock()
  const { transport, published } = createKeepingBus()
  const sealer = createSealer({ signer, mesh: 'main', clock, hash: systemHash, random, transport, maxEnvelopes })
  const sizes = (): readonly number[] =>
    published.map((data) => {
      const decoded = decodeFrame(systemHash, data)
      return decoded.kind === 'allow' ? decoded.frame.envelopes.length : 0
    })
  return { clock, sealer, published, sizes }
}

function sealTo(sealer: Sealer, clock: ManualClock, to: (typeof peers)[number] = peers[0]): SealedEnvelope {
  const issuedAtMs = clock.now()
  return sealer.seal({ type: 'ready', to, issuedAtMs, expiresAtMs: issuedAtMs + 1_000 }, new Uint8Array(8))
}

const signMs = 10

interface Remote {
  readonly clock: ManualClock
  readonly sealer: Sealer
  readonly transport: Transport
  /** How many envelopes each frame had, and when it was published. */
  readonly frames: readonly { readonly envelopes: number; readonly atMs: number }[]
  mostAtOnce(): number
  to(letter: string): InstanceDid
}

/** A sealer whose key is elsewhere: each signature takes ten milliseconds. */
function openRemote(): Remote {
  const clock = createManualClock()
  const random = createSeededRandom(5)
  const bus = createMemoryBus({ clock, random })
  const key = createKeySigner(generateSeed(random))
  const frames: { readonly envelopes: number; readonly atMs: number }[] = []
  let [running, most] = [0, 0]
  const signer = {
    did: key.did,
    async sign(domain: string, bytes: Uint8Array): Promise<Uint8Array> {
      running += 1
      most = Math.max(most, running)
      await new Promise<void>((resolve) => clock.setTimer(resolve, signMs))
      running -= 1
      return key.sign(domain, bytes)
    },
  }
  bus.tap(({ data }) => {
    const decoded = decodeFrame(systemHash, data)
    if (decoded.kind === 'allow') frames.push({ envelopes: decoded.frame.envelopes.length, atMs: clock.monotonic() })
  })
  const transport = bus.connect()
  return {
    clock,
    transport,
    frames,
    sealer: createSealer({ signer, mesh: 'main', clock, hash: systemHash, random, transport }),
    mostAtOnce: () => most,
    to: (letter) => `did:key:z6Mk${letter.repeat(44)}`,
  }
}

const times = { issuedAtMs: 0, expiresAtMs: 1 }

describe('createSealer', () => {
  it('puts what is sent in one turn to one recipient under one signature, in order', async () => {
    const { clock, sealer, sizes, published } = open()
    const sealed = Array.from({ length: 5 }, () => sealTo(sealer, clock))
    const sent = sealed.map((one) => sealer.send(one))
    void sealer.send(sealTo(sealer, clock, peers[1]))
    expect(await Promise.all(sent)).toEqual(sent.map(() => ({ kind: 'allow' })))
    await clock.settle()
    expect(sizes()).toEqual([5, 1])
    const [first] = published
    const decoded = first && decodeFrame(systemHash, first)
    expect(decoded?.kind === 'allow' && decoded.frame.envelopes.map(({ leaf }) => leaf)).toEqual(
      sealed.map(({ leafBytes }) => leafBytes),
    )
  })

  it('lets much of it leave before the turn ends', async () => {
    const { clock, sealer, sizes } = open()
    for (let at = 0; at < 40; at++) void sealer.send(sealTo(sealer, clock))
    await Promise.resolve()
    await clock.settle()
    expect(sizes().reduce((sum, size) => sum + size, 0)).toBe(40)
    expect(sizes()[0]).toBe(32)
  })

  it('never puts more envelopes under one signature than it was told to', async () => {
    const { clock, sealer, sizes } = open(1)
    for (let at = 0; at < 3; at++) void sealer.send(sealTo(sealer, clock))
    await clock.settle()
    expect(sizes()).toEqual([1, 1, 1])
  })

  it('keeps below the frames a second that a recipient checks, and loses none', async () => {
    const { clock, sealer, sizes } = open(1)
    const sent = Array.from({ length: 2_500 }, () => sealer.send(sealTo(sealer, clock)))
    await clock.advance(1)
    expect(sizes().length).toBeLessThan(limits.signaturesPerSecond)
    await clock.advance(1_000)
    expect(await Promise.all(sent)).toHaveLength(2_500)
    expect(sizes()).toHaveLength(2_500)
  })

  it('with a signer that takes 10 ms makes one signature at a time, and late is not slow', async () => {
    const remote = openRemote()
    const calls = 3_200
    const everyMs = 1
    const perTick = 5
    const lateness: number[] = []
    for (let sent = 0; sent < calls; sent += perTick) {
      for (let at = 0; at < perTick; at++) {
        const sentAtMs = remote.clock.monotonic()
        const sealed = remote.sealer.seal({ type: 'hello', to: remote.to('a'), ...times }, new Uint8Array(100))
        void remote.sealer.send(sealed).then(() => lateness.push(remote.clock.monotonic() - sentAtMs))
      }
      await remote.clock.advance(everyMs)
    }
    await remote.clock.advance(2 * signMs)
    expect(remote.mostAtOnce()).toBe(1)
    expect(lateness).toHaveLength(calls)
    // 5,000 envelopes a second pass a key that makes 100 signatures a second; nobody waits for more than two of them.
    expect(Math.max(...lateness)).toBeLessThanOrEqual(2 * signMs)
    expect(remote.frames.length).toBeLessThanOrEqual((calls / perTick) * (everyMs / signMs) + 2)
  })

  it('sends what is alone in its turn without waiting for company', async () => {
    const remote = openRemote()
    void remote.sealer.send(remote.sealer.seal({ type: 'hello', to: remote.to('a'), ...times }, new Uint8Array()))
    await remote.clock.advance(signMs)
    expect(remote.frames).toEqual([{ envelopes: 1, atMs: signMs }])
  })

  it('fills frames to their limit once the first has left early, and keeps the order', async () => {
    const remote = openRemote()
    const order: number[] = []
    for (let at = 0; at < 150; at++) {
      const sealed = remote.sealer.seal({ type: 'hello', to: remote.to('a'), ...times }, new Uint8Array())
      void remote.sealer.send(sealed).then(() => order.push(at))
    }
    await remote.clock.advance(3 * signMs)
    expect(remote.frames.map(({ envelopes }) => envelopes)).toEqual([32, limits.frameEnvelopes, 54])
    expect(order).toEqual(Array.from({ length: 150 }, (_, at) => at))
  })

  it('gives each recipient of a turn a frame of its own', async () => {
    const remote = openRemote()
    for (const letter of ['a', 'b', 'a', 'b'])
      void remote.sealer.send(remote.sealer.seal({ type: 'hello', to: remote.to(letter), ...times }, new Uint8Array()))
    await remote.clock.advance(2 * signMs)
    expect(remote.frames.map(({ envelopes }) => envelopes)).toEqual([2, 2])
  })

  it('encrypts no body without a counter, which its nonce is made of', () => {
    const remote = openRemote()
    const keys = createBodyKeys(new Uint8Array(44), new Uint8Array(44))
    const header = { type: 'reply', to: remote.to('a'), ...times } as const
    expect(() => remote.sealer.seal(header, new Uint8Array(), keys)).toThrow('only under a counter')
    const sealed = remote.sealer.seal({ ...header, counter: 1 }, new Uint8Array(3), keys)
    expect(sealed.body).toHaveLength(19)
    expect(new TextDecoder().decode(sealed.header)).toContain('"sealed":true')
  })
})
