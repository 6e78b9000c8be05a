import type { AgentName } from '@parley/protocol'
import type { SagaNode } from './saga-node.ts'
import { formatLeasePrefix } from './instance-lease.ts'

/** What an observer sees of the instances of its name. */
export interface LeaseView {
  /** Those whose lease it has no reason to doubt. */
  readonly alive: ReadonlySet<string>
  /** Some are there no more that were there, or lapsed: their sagas may be taken. */
  readonly changed: boolean
}

/** Observes the leases of a name. */
export interface LeaseWatch {
  look(): Promise<LeaseView>
}

/** A lease that stood still for so many times its length is removed. One that was only paused writes itself anew. */
const forgottenAfter = 100

/**
 * Creates an observer. A lease lives as long as its text changes within `leaseMs` of this process's monotonic clock: no two
 * wall clocks are compared (T15), and no store has to let keys expire (T14).
 */
export function createLeaseWatch(
  node: Pick<SagaNode, 'store' | 'clock'>,
  name: AgentName,
  leaseMs: number,
): LeaseWatch {
  const prefix = formatLeasePrefix(name)
  const seen = new Map<string, { readonly text: string; readonly atMs: number }>()
  let before: ReadonlySet<string> = new Set()
  return {
    async look() {
      const nowMs = node.clock.monotonic()
      const entries = await node.store.keyValue.list(prefix)
      const alive = new Set<string>()
      for (const { key, value } of entries) {
        const instance = key.slice(prefix.length)
        const text = Buffer.from(value).toString('latin1')
        const known = seen.get(instance)
        if (known?.text !== text) seen.set(instance, { text, atMs: nowMs })
        if (known?.text !== text || nowMs - known.atMs < leaseMs) alive.add(instance)
        else if (nowMs - known.atMs > leaseMs * forgottenAfter) await node.store.keyValue.delete(key)
      }
      const present = new Set(entries.map(({ key }) => key.slice(prefix.length)))
      for (const instance of seen.keys()) if (!present.has(instance)) seen.delete(instance)
      const changed = [...before].some((instance) => !alive.has(instance))
      before = alive
      return { alive, changed }
    },
  }
}
