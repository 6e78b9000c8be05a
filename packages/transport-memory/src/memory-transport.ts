import type { Delivery, Transport, TransportStatus, Unsubscribe } from '@parley/ports'
import { assertPattern, assertSubject, MeshError, patternMatches } from '@parley/protocol'

/** What the bus does for one connection. */
export interface MemoryLinkOptions {
  readonly maxPayloadBytes: number
  /** With `bounceTo`, the connection is told there if nobody listens. */
  readonly publish: (delivery: Delivery, bounceTo: string | undefined) => void
  /** Runs `action` after everything that was published before. */
  readonly enqueue: (action: () => void) => void
  readonly onClose: () => void
}

/** One connection: the transport that its user has, and the end that the bus holds. */
export interface MemoryLink {
  readonly transport: Transport
  /** Hands a unit to the subscriptions that match; false if none did. */
  deliver(delivery: Delivery): boolean
  setConnected(connected: boolean): void
}

interface Subscription {
  readonly pattern: string
  readonly onDelivery: (delivery: Delivery) => void
}

/** Creates one connection of a bus. */
export function createMemoryTransport({ maxPayloadBytes, publish, enqueue, onClose }: MemoryLinkOptions): MemoryLink {
  const subscriptions = new Set<Subscription>()
  const listeners = new Set<{ readonly call: (status: TransportStatus) => void }>()
  let status: TransportStatus = 'connected'

  const setStatus = (next: TransportStatus): void => {
    if (status === next || status === 'closed') return
    status = next
    const told = [...listeners]
    for (const listener of told) listener.call(next)
  }
  const assertConnected = (): void => {
    if (status === 'closed') throw new MeshError('transport.closed', 'The memory transport is closed; connect again.')
    if (status === 'disconnected')
      throw new MeshError('transport.disconnected', 'The memory transport is cut off: nothing was sent.')
  }
  const transport: Transport = {
    kind: 'memory',
    maxPayloadBytes,
    status: () => status,
    onStatus(call): Unsubscribe {
      const listener = { call }
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    publish(subject, data, bounceTo) {
      assertConnected()
      assertSubject(subject)
      if (bounceTo !== undefined) assertSubject(bounceTo)
      if (data.length > maxPayloadBytes)
        throw new MeshError(
          'transport.payload-too-large',
          `The payload has ${data.length} bytes, the bus takes ${maxPayloadBytes}; send less.`,
          { details: { bytes: data.length, maxPayloadBytes } },
        )
      publish({ subject, data: new Uint8Array(data) }, bounceTo)
    },
    async subscribe(pattern, onDelivery) {
      assertConnected()
      assertPattern(pattern)
      const subscription = { pattern, onDelivery }
      subscriptions.add(subscription)
      return () => {
        subscriptions.delete(subscription)
      }
    },
    async flush() {
      assertConnected()
      await new Promise<void>((resolve) => {
        enqueue(resolve)
      })
    },
    async close() {
      if (status === 'closed') return
      onClose()
      subscriptions.clear()
      setStatus('closed')
    },
  }
  return {
    transport,
    deliver({ data, ...unit }) {
      let isTaken = false
      // A subscriber that subscribes again does not get the unit that made it do so.
      const present = [...subscriptions]
      for (const subscription of present) {
        // An earlier subscriber may have ended this one, or cut the connection.
        if (status !== 'connected' || !subscriptions.has(subscription)) continue
        if (!patternMatches(subscription.pattern, unit.subject)) continue
        isTaken = true
        subscription.onDelivery({ ...unit, data: data.slice() })
      }
      return isTaken
    },
    setConnected(connected) {
      setStatus(connected ? 'connected' : 'disconnected')
    },
  }
}
