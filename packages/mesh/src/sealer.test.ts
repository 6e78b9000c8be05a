import { createKeySigner, generateSeed } from '@parley/identity'
import { createManualClock, createSeededRandom, systemHash, type ManualClock, type Transport } from '@parley/ports'
import { decodeFrame, limits } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
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
})
