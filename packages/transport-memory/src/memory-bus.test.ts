import { createManualClock, createSeededRandom, type Delivery, type ManualClock, type Transport } from '@parley/ports'
import { beforeEach, describe, expect, it } from 'vitest'
import { createMemoryBus, type MemoryBus } from './memory-bus.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

let clock: ManualClock
let bus: MemoryBus
let sender: Transport
let received: number[][]
beforeEach(async () => {
  clock = createManualClock()
  bus = createMemoryBus({ clock, random: createSeededRandom(7), maxPayloadBytes: 64 })
  sender = bus.connect()
  received = []
  await bus.connect().subscribe('t.>', ({ data }) => received.push([...data]))
})

describe('createMemoryBus', () => {
  it('I2: delivers nothing before the turn ends', async () => {
    sender.publish('t.a', bytes(1))
    expect(received).toEqual([])
    await clock.settle()
    expect(received).toEqual([[1]])
  })
  it('I1: gives each subscriber bytes of its own', async () => {
    await bus.connect().subscribe('t.>', ({ data }) => data.fill(9))
    await bus.connect().subscribe('t.>', ({ data }) => received.push([...data]))
    sender.publish('t.a', bytes(1))
    await clock.settle()
    expect(received).toEqual([[1], [1]])
  })
  it('drops, duplicates and corrupts what a fault names, until it is lifted', async () => {
    const when = ({ data }: Delivery): boolean => data[0] === 1
    const lift = [
      bus.inject({ kind: 'drop', when }),
      bus.inject({ kind: 'duplicate', when: ({ data }) => data[0] === 2 }),
      bus.inject({ kind: 'corrupt', when: ({ data }) => data[0] === 3 }),
    ]
    for (const value of [1, 2, 3, 4]) sender.publish('t.a', bytes(value))
    await clock.settle()
    expect(received.slice(0, 2)).toEqual([[2], [2]])
    const [corrupted = []] = received.slice(2, 3)
    expect(((corrupted[0] ?? 0) ^ 3).toString(2)).toMatch(/^10*$/)
    expect(received.slice(3)).toEqual([[4]])
    for (const end of lift) end()
    sender.publish('t.a', bytes(1))
    await clock.settle()
    expect(received.at(-1)).toEqual([1])
  })
  it('holds a delayed unit back so that later ones overtake it', async () => {
    bus.inject({ kind: 'delay', delayMs: 50, when: ({ data }) => data[0] === 1 })
    sender.publish('t.a', bytes(1))
    sender.publish('t.a', bytes(2))
    await clock.advance(49)
    expect(received).toEqual([[2]])
    await clock.advance(1)
    expect(received).toEqual([[2], [1]])
  })
  it('loses the same units again for the same seed', async () => {
    const lost = async (): Promise<number[][]> => {
      const seeded = createMemoryBus({ clock, random: createSeededRandom(42) })
      const kept: number[][] = []
      const transport = seeded.connect()
      await transport.subscribe('t', ({ data }) => kept.push([...data]))
      seeded.inject({ kind: 'drop', probability: 0.5 })
      for (let value = 0; value < 40; value++) transport.publish('t', bytes(value))
      await clock.settle()
      return kept
    }
    const first = await lost()
    expect(first.length).toBeGreaterThan(5)
    expect(first.length).toBeLessThan(35)
    expect(await lost()).toEqual(first)
  })
  it('shows a tap what was published, also what is dropped', async () => {
    const seen: Delivery[] = []
    bus.inject({ kind: 'drop' })
    const end = bus.tap((delivery) => seen.push(delivery))
    sender.publish('t.a', bytes(1))
    end()
    sender.publish('t.a', bytes(2))
    await clock.settle()
    expect(seen).toEqual([{ subject: 't.a', data: bytes(1) }])
    expect(received).toEqual([])
  })
  it('loses what is sent to a connection that is cut off, also what was on its way', async () => {
    const receiver = bus.connect()
    const got: number[][] = []
    await receiver.subscribe('t.>', ({ data }) => got.push([...data]))
    sender.publish('t.a', bytes(1))
    bus.disconnect(receiver)
    await clock.settle()
    bus.reconnect(receiver)
    sender.publish('t.a', bytes(2))
    await clock.settle()
    expect(got).toEqual([[2]])
  })
  it('knows only its own open connections', async () => {
    expect(() => {
      createMemoryBus().disconnect(sender)
    }).toThrow(TypeError)
    await sender.close()
    expect(() => {
      bus.reconnect(sender)
    }).toThrow(TypeError)
  })
})
