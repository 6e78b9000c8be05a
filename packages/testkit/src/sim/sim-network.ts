import type { Clock, Delivery, Random, Transport } from '@parley/ports'
import { createMemoryBus } from '@parley/transport-memory'
import type { SimFaultRates } from './sim-faults.ts'
import type { SimProcess } from './sim-process.ts'

/** The bus between processes. */
export interface SimNetwork {
  connect(process: SimProcess): Transport
  /** Cuts a process off, which it notices; or ends its connection, if it died. */
  disconnect(process: SimProcess): void
  reconnect(process: SimProcess): void
}

/** The longest way of a unit that nothing disturbs, in milliseconds. */
const wayMs = 2

/** Creates a bus whose units take their time, and suffer what the rates of the moment say. */
export function createSimNetwork(options: {
  readonly clock: Clock
  readonly random: Random
  readonly after: (delayMs: number, turn: () => void) => void
  readonly rates: () => SimFaultRates
}): SimNetwork {
  const { clock, random, after, rates } = options
  const bus = createMemoryBus({ clock, random })
  const links = new Map<SimProcess, Transport>()
  /** Bounces are the bus's own word on its connection, which does not pass the network. */
  const copies = (delivery: Delivery): readonly number[] => {
    const { drop, duplicate, delay, delayMs } = rates()
    if (delivery.isBounce) return [0]
    if (random.float() < drop) return []
    const one = (): number => random.float() * (random.float() < delay ? delayMs : wayMs)
    return random.float() < duplicate ? [one(), one()] : [one()]
  }
  return {
    connect(process) {
      const link = bus.connect()
      links.set(process, link)
      return {
        kind: 'sim',
        maxPayloadBytes: link.maxPayloadBytes,
        status: () => link.status(),
        onStatus: (listener) => link.onStatus((status) => process.enter(() => listener(status))),
        publish(subject, data, bounceTo) {
          if (!process.passAtOnce(`before it publishes to ${subject}`)) return
          link.publish(subject, data, bounceTo)
          process.passAtOnce(`after it published to ${subject}`)
        },
        async subscribe(pattern, onDelivery) {
          let subscribed = true
          let lastMs = 0
          const stop = await link.subscribe(pattern, (delivery) => {
            for (const delayMs of copies(delivery)) {
              // What is not held back keeps its order, as the port promises.
              const isHeldBack = delayMs > wayMs
              const dueMs = Math.max(clock.monotonic() + delayMs, isHeldBack ? 0 : lastMs)
              if (!isHeldBack) lastMs = dueMs
              after(dueMs - clock.monotonic(), () => {
                process.enter(() => {
                  if (subscribed) onDelivery({ ...delivery, data: delivery.data.slice() })
                })
              })
            }
          })
          return () => {
            subscribed = false
            stop()
          }
        },
        flush: () => link.flush(),
        close: () => link.close(),
      }
    },
    disconnect(process) {
      const link = links.get(process)
      if (!link) return
      if (process.isAlive()) bus.disconnect(link)
      else {
        links.delete(process)
        void link.close()
      }
    },
    reconnect(process) {
      const link = links.get(process)
      if (link && process.isAlive()) bus.reconnect(link)
    },
  }
}
