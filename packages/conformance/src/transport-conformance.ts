import type { Transport, TransportStatus } from '@parley/ports'
import { collectDeliveries } from './delivery-collector.ts'
import { readRejectedCode, readThrownCode } from './error-code.ts'
import type { TestKit } from './test-kit.ts'

/** Two connections to one bus that nobody else uses. */
export interface TransportPair {
  readonly left: Transport
  readonly right: Transport
  /** Whether the bus says that nobody listens. */
  readonly bounces: boolean
  /** Takes the bus away from both; resolves when both say so. */
  disconnect(): Promise<void>
  /** Gives the bus back to both; resolves when both say so. */
  reconnect(): Promise<void>
  /** Closes both and releases the bus. */
  dispose(): Promise<void>
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

const badSubjects = [
  '',
  '.',
  '.a',
  'a.',
  'a..b',
  'a b',
  'a\tb',
  'a\r\nPUB b 0\r\n\r\n',
  'a\0b',
  'a.*',
  'a.>',
  'a*',
  '>',
]
const badPatterns = ['', '.', 'a..b', 'a b', 'a\r\nPUB b', '>.a', 'a.>.b', 'a*.b', 'a.b>', '**']
const matches: readonly (readonly [pattern: string, matching: readonly string[], other: readonly string[]])[] = [
  ['m.a', ['m.a'], ['m', 'm.a.b', 'm.b', 'm.A']],
  ['m.*.c', ['m.a.c', 'm.b.c'], ['m.c', 'm.a.b', 'm.a.b.c']],
  ['m.>', ['m.a', 'm.a.b.c'], ['m', 'n.a']],
  ['m.*.>', ['m.a.b', 'm.a.b.c'], ['m.a', 'm']],
]

/** Defines the suite that every `Transport` must pass. `makePair` is called once for each test. */
export function transportConformance(
  { describe, it, expect }: TestKit,
  name: string,
  makePair: () => Promise<TransportPair>,
): void {
  const test = (title: string, run: (pair: TransportPair) => Promise<void>): void => {
    it(title, async () => {
      const pair = await makePair()
      try {
        await run(pair)
      } finally {
        await pair.dispose()
      }
    })
  }

  describe(`${name} as a Transport`, () => {
    test('delivers the exact bytes with their subject, an empty payload too', async ({ left, right }) => {
      const box = await collectDeliveries(right, 't.>')
      const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index)
      left.publish('t.all', everyByte)
      left.publish('t.none', bytes())
      expect(await box.take(2)).toEqual([
        { subject: 't.all', data: [...everyByte] },
        { subject: 't.none', data: [] },
      ])
    })
    test('routes to a subscription from the moment that it resolves', async ({ left, right }) => {
      for (let round = 0; round < 20; round++) {
        const box = await collectDeliveries(right, `t.${round}`)
        left.publish(`t.${round}`, bytes(round))
        expect(await box.take(1)).toEqual([{ subject: `t.${round}`, data: [round] }])
      }
    })
    test('delivers to every matching subscription, its own connection included', async ({ left, right }) => {
      const boxes = [
        await collectDeliveries(left, 't.a'),
        await collectDeliveries(right, 't.a'),
        await collectDeliveries(right, 't.*'),
      ]
      left.publish('t.a', bytes(7))
      for (const box of boxes) expect(await box.take(1)).toEqual([{ subject: 't.a', data: [7] }])
    })
    for (const [pattern, matching, other] of matches)
      test(`matches ${pattern} as NATS does`, async ({ left, right }) => {
        const box = await collectDeliveries(right, pattern)
        const end = await collectDeliveries(right, 'end')
        for (const subject of [...other, ...matching]) left.publish(subject, bytes())
        left.publish('end', bytes())
        await end.take(1)
        expect(box.seen().map(({ subject }) => subject)).toEqual(matching)
      })
    test('keeps the order of one publisher', async ({ left, right }) => {
      const box = await collectDeliveries(right, 't')
      const values = Array.from({ length: 200 }, (_, index) => index)
      for (const value of values) left.publish('t', bytes(value))
      expect((await box.take(values.length)).map(({ data }) => data[0])).toEqual(values)
    })
    test('sends the bytes as they were when publish was called', async ({ left, right }) => {
      const box = await collectDeliveries(right, 't')
      // The slice of a Buffer is no copy, which an implementation may forget.
      for (const data of [bytes(1, 2, 3), Buffer.of(1, 2, 3)]) {
        left.publish('t', data)
        data.fill(0)
        expect(await box.take(1)).toEqual([{ subject: 't', data: [1, 2, 3] }])
      }
    })
    test('hands over plain Uint8Arrays', async ({ left, right }) => {
      const { promise, resolve } = Promise.withResolvers<Uint8Array>()
      await right.subscribe('t', ({ data }) => {
        resolve(data)
      })
      left.publish('t', Buffer.of(1))
      expect(Object.getPrototypeOf(await promise)).toBe(Uint8Array.prototype)
    })
    test('delivers nothing to a subscription that was ended, and goes on with the others', async ({ left, right }) => {
      const ended = await collectDeliveries(right, 't')
      const other = await collectDeliveries(right, 't')
      ended.stop()
      ended.stop()
      await right.flush()
      left.publish('t', bytes(1))
      await other.take(1)
      expect(ended.seen()).toEqual([])
    })
    test('takes a payload of the limit and refuses one byte more', async ({ left, right }) => {
      const box = await collectDeliveries(right, 't')
      const largest = new Uint8Array(left.maxPayloadBytes)
      expect(readThrownCode(() => left.publish('t', new Uint8Array(left.maxPayloadBytes + 1)))).toBe(
        'transport.payload-too-large',
      )
      left.publish('t', largest)
      expect((await box.take(1)).map(({ data }) => data.length)).toEqual([largest.length])
    })
    test('refuses malformed subjects and patterns, and works on', async ({ left, right }) => {
      for (const subject of badSubjects)
        expect(readThrownCode(() => left.publish(subject, bytes()))).toBe('transport.subject-invalid')
      for (const pattern of badPatterns)
        expect(await readRejectedCode(right.subscribe(pattern, () => {}))).toBe('transport.subject-invalid')
      const box = await collectDeliveries(right, 't')
      left.publish('t', bytes(1))
      expect(await box.take(1)).toEqual([{ subject: 't', data: [1] }])
    })
    test('says to a publisher alone, and once, that nobody listens to what it published', async ({
      left,
      right,
      bounces,
    }) => {
      const word = await collectDeliveries(left, 'me.*')
      const other = await collectDeliveries(right, 'me.*')
      const taken = await collectDeliveries(right, 'taken')
      left.publish('taken', bytes(1), 'me.1')
      left.publish('nobody', bytes(2))
      left.publish('nobody', bytes(3), 'me.2')
      left.publish('me.end', bytes(4))
      await word.take(bounces ? 2 : 1)
      await other.take(1)
      expect(taken.seen().length).toBe(1)
      expect(word.seen()).toEqual([
        ...(bounces ? [{ subject: 'me.2', data: [], isBounce: true }] : []),
        { subject: 'me.end', data: [4] },
      ])
      expect(other.seen()).toEqual([{ subject: 'me.end', data: [4] }])
    })
    test('refuses everything while there is no connection, and tells so', async (pair) => {
      const { left } = pair
      const told: TransportStatus[] = []
      left.onStatus((status) => told.push(status))
      const stop = left.onStatus(() => told.push('closed'))
      stop()
      stop()
      expect(left.status()).toBe('connected')
      await pair.disconnect()
      expect(left.status()).toBe('disconnected')
      expect(readThrownCode(() => left.publish('t', bytes()))).toBe('transport.disconnected')
      expect(await readRejectedCode(left.flush())).toBe('transport.disconnected')
      expect(await readRejectedCode(left.subscribe('t', () => {}))).toBe('transport.disconnected')
      await pair.reconnect()
      expect(left.status()).toBe('connected')
      expect(told).toEqual(['disconnected', 'connected'])
    })
    test('brings subscriptions back with the connection, without what was lost meanwhile', async (pair) => {
      const { left, right } = pair
      const box = await collectDeliveries(right, 't.*')
      left.publish('t.before', bytes(1))
      await box.take(1)
      await pair.disconnect()
      readThrownCode(() => left.publish('t.lost', bytes(2)))
      await pair.reconnect()
      await right.flush()
      left.publish('t.after', bytes(3))
      expect(await box.take(1)).toEqual([{ subject: 't.after', data: [3] }])
      expect(box.seen().length).toBe(2)
    })
    test('refuses everything after close, which may be called twice', async ({ left, right }) => {
      const told: TransportStatus[] = []
      left.onStatus((status) => told.push(status))
      const box = await collectDeliveries(left, 't')
      const other = await collectDeliveries(right, 't')
      await left.close()
      await left.close()
      expect(left.status()).toBe('closed')
      expect(told).toEqual(['closed'])
      expect(readThrownCode(() => left.publish('t', bytes()))).toBe('transport.closed')
      expect(await readRejectedCode(left.flush())).toBe('transport.closed')
      expect(await readRejectedCode(left.subscribe('t', () => {}))).toBe('transport.closed')
      box.stop()
      right.publish('t', bytes(1))
      await other.take(1)
      expect(box.seen()).toEqual([])
    })
    test('closes while there is no connection', async (pair) => {
      await pair.disconnect()
      await pair.left.close()
      expect(pair.left.status()).toBe('closed')
    })
  })
}
