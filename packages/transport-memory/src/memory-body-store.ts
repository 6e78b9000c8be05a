import type { BodyStore, Clock } from '@parley/ports'
import { MeshError } from '@parley/protocol'

/** Far above what a test or a first program leaves behind. */
const defaultMaxBytes = 268_435_456

/**
 * Creates a store of large bodies for nodes of this process, beside the bus. It forgets a body once its time is over, and
 * rejects with `iatp.body-unavailable` when it holds `maxBytes` of bodies whose time is not.
 */
export function createMemoryBodyStore(
  ports: { readonly clock: Clock },
  options: { readonly maxBytes?: number } = {},
): BodyStore {
  const { clock } = ports
  const { maxBytes = defaultMaxBytes } = options
  const bodies = new Map<string, { readonly body: Uint8Array; readonly untilMs: number }>()
  let heldBytes = 0
  let count = 0
  const forgetLapsed = (): void => {
    const nowMs = clock.now()
    for (const [name, { body, untilMs }] of bodies) {
      if (untilMs > nowMs) continue
      bodies.delete(name)
      heldBytes -= body.length
    }
  }
  return {
    async put(body, untilMs) {
      forgetLapsed()
      if (heldBytes + body.length > maxBytes)
        throw new MeshError('iatp.body-unavailable', `the store cannot take ${String(body.length)} more bytes now`)
      count += 1
      const name = `memory/${String(count)}`
      bodies.set(name, { body: Uint8Array.from(body), untilMs })
      heldBytes += body.length
      return name
    },
    async get(where, most) {
      forgetLapsed()
      const found = bodies.get(where)
      return found && found.body.length <= most ? Uint8Array.from(found.body) : undefined
    },
  }
}
