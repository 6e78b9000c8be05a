import {
  createSystemClock,
  createSystemRandom,
  type Clock,
  type Delivery,
  type Random,
  type Transport,
  type Unsubscribe,
} from '@parley/ports'
import { applyFaults, type MemoryFault } from './memory-fault.ts'
import { createMemoryTransport, type MemoryLink } from './memory-transport.ts'

// I1 A unit is a copy of the bytes as they were when `publish` was called, and each subscriber gets a copy of its own.
// I2 `publish` delivers nothing itself: subscribers run at the end of a turn, one by one, in the order of publishing.

/** How a bus is set up. */
export interface MemoryBusOptions {
  /** Ends turns and holds delayed units back; the system clock by default. */
  readonly clock?: Clock
  /** Decides faults with a probability and which bit is flipped. */
  readonly random?: Random
  /** Default 1 MiB, as a NATS server has it. */
  readonly maxPayloadBytes?: number
}

/** A bus inside one process. */
export interface MemoryBus {
  /** Makes one more connection to the bus. */
  connect(): Transport
  /** Calls `listener` with each unit as it was published, before faults: what somebody on the wire sees. */
  tap(listener: (delivery: Delivery) => void): Unsubscribe
  /** Makes a fault strike from now on, until the returned function is called. */
  inject(fault: MemoryFault): Unsubscribe
  /** Cuts a connection of this bus off: it neither sends nor receives, and what is sent to it meanwhile is lost. */
  disconnect(transport: Transport): void
  /** Brings a connection that was cut off back, with its subscriptions. */
  reconnect(transport: Transport): void
}

const defaultMaxPayloadBytes = 1_048_576

/** Creates a bus. Two of them know nothing of each other. */
export function createMemoryBus(options: MemoryBusOptions = {}): MemoryBus {
  const { clock = createSystemClock(), random = createSystemRandom() } = options
  const { maxPayloadBytes = defaultMaxPayloadBytes } = options
  const links = new Map<Transport, MemoryLink>()
  const taps = new Set<(delivery: Delivery) => void>()
  const faults = new Set<MemoryFault>()
  let queue: (() => void)[] = []

  const enqueue = (action: () => void): void => {
    queue.push(action)
    if (queue.length > 1) return
    clock.defer(() => {
      const actions = queue
      queue = []
      for (const act of actions) act()
    })
  }
  const publish = (from: MemoryLink, delivery: Delivery, bounceTo: string | undefined): void => {
    const deliver = (unit: Delivery): void => {
      let isTaken = false
      for (const link of links.values()) if (link.deliver(unit)) isTaken = true
      if (!isTaken && bounceTo !== undefined)
        from.deliver({ subject: bounceTo, data: new Uint8Array(), isBounce: true })
    }
    for (const listener of taps) listener({ ...delivery, data: delivery.data.slice() })
    for (const { delayMs, ...unit } of applyFaults(faults, delivery, random))
      enqueue(() => {
        if (delayMs === 0) deliver(unit)
        else
          clock.setTimer(() => {
            deliver(unit)
          }, delayMs)
      })
  }
  const linkOf = (transport: Transport): MemoryLink => {
    const link = links.get(transport)
    if (!link) throw new TypeError('The transport is not an open connection of this bus.')
    return link
  }
  return {
    connect() {
      const link: MemoryLink = createMemoryTransport({
        maxPayloadBytes,
        publish: (delivery, bounceTo) => {
          publish(link, delivery, bounceTo)
        },
        enqueue,
        onClose: () => links.delete(link.transport),
      })
      links.set(link.transport, link)
      return link.transport
    },
    tap: (listener) =>
      addTo(taps, (delivery: Delivery) => {
        listener(delivery)
      }),
    inject: (fault) => addTo(faults, { ...fault }),
    disconnect: (transport) => {
      linkOf(transport).setConnected(false)
    },
    reconnect: (transport) => {
      linkOf(transport).setConnected(true)
    },
  }
}

function addTo<Item>(items: Set<Item>, item: Item): Unsubscribe {
  items.add(item)
  return () => {
    items.delete(item)
  }
}
