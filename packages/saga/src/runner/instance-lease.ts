import type { KeyValue } from '@parley/ports'
import type { AgentName } from '@parley/protocol'
import type { SagaNode } from './saga-node.ts'

/** Milliseconds without a heartbeat after which others may take an instance's sagas. A wrong guess costs a fenced append. */
export const defaultLeaseMs = 5_000

/** Heartbeats in the time of a lease: two may be lost. */
const beatsPerLease = 3

/** Names the prefix of the leases of all instances of one name. */
export function formatLeasePrefix(name: AgentName): string {
  return `saga-lease/${name}/`
}

/** Names the prefix under which others ring for an instance: a key for each saga that something was added to. */
export function formatBellPrefix(name: AgentName, instance: string): string {
  return `${formatBellsPrefix(name)}${instance}/`
}

function formatBellsPrefix(name: AgentName): string {
  return `saga-bell/${name}/`
}

/**
 * Creates what removes bells of instances of a name that are gone: what they were rung for is in the journals. Only what was
 * there at the sweep before goes: who was rung since may have come after `isHere` was looked up.
 */
export function createBellSweep(
  keyValue: KeyValue,
  name: AgentName,
): (isHere: (instance: string) => boolean) => Promise<void> {
  const prefix = formatBellsPrefix(name)
  let before: ReadonlySet<string> = new Set()
  return async (isHere) => {
    const bells = (await keyValue.list(prefix)).map(({ key }) => key)
    for (const key of bells) {
      const [instance = ''] = key.slice(prefix.length).split('/')
      if (before.has(key) && !isHere(instance)) await keyValue.delete(key)
    }
    before = new Set(bells)
  }
}

/**
 * Says that an instance lives, for all its sagas at once. It tells others when to try, and nothing else: what keeps two
 * apart is the append of `owned` (T47).
 */
export interface InstanceLease {
  /** Resolves once the lease is durable; it is kept as long as `inUse` says so. */
  hold(): Promise<void>
  /** Gives it up at once, so that another instance need not wait. Idempotent. */
  release(): Promise<void>
}

/** What a lease is kept with. */
export interface InstanceLeaseOptions {
  readonly node: Pick<SagaNode, 'name' | 'instance' | 'store' | 'clock' | 'random' | 'logger'>
  readonly leaseMs: number
  /** Whether anything was driven since it was asked last. */
  readonly inUse: () => boolean
  /** Is told the sagas that somebody else added something to. */
  readonly onBell: (ids: readonly string[]) => void
}

/** Creates a lease that nobody holds yet. */
export function createInstanceLease({ node, leaseMs, inUse, onBell }: InstanceLeaseOptions): InstanceLease {
  const { clock, logger, instance } = node
  const { keyValue } = node.store
  const key = `${formatLeasePrefix(node.name)}${instance}`
  const bells = formatBellPrefix(node.name, instance)
  // A lease that is made anew begins with another text, so that no two lives look the same to an observer.
  const life = Buffer.from(node.random.bytes(6)).toString('base64url')
  let beat = 0
  let held = false
  let released = false
  let cancelTimer = (): void => undefined
  let last: Promise<unknown> = Promise.resolve()

  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const current = last.then(work)
    last = current.catch(() => undefined)
    return current
  }
  const put = async (): Promise<void> => {
    await keyValue.put(key, new TextEncoder().encode(`${life}.${++beat}`))
  }
  const hear = async (): Promise<void> => {
    const rung = await keyValue.list(bells)
    for (const bell of rung) await keyValue.delete(bell.key)
    if (rung.length > 0) onBell(rung.map((bell) => bell.key.slice(bells.length)))
  }
  const schedule = (): void => {
    if (held && !released) cancelTimer = clock.setTimer(() => void pulse(), leaseMs / beatsPerLease)
  }
  const pulse = async (): Promise<void> => {
    try {
      await inTurn(async () => {
        if (released) return
        if (inUse()) {
          await put()
          await hear()
        } else {
          held = false
          await keyValue.delete(key)
        }
      })
    } catch (error) {
      // Others may take the sagas meanwhile, which the journal decides; a store that comes back is told again.
      tellUnwritten(error)
    }
    schedule()
  }
  const tellUnwritten = (error: unknown): void => {
    logger.warn('saga.lease-unwritten', { instance, error: error instanceof Error ? error.message : 'not an error' })
  }
  return {
    async hold() {
      if (held) return
      await inTurn(async () => {
        if (held || released) return
        await put()
        held = true
        schedule()
      })
    },
    async release() {
      if (released) return
      released = true
      cancelTimer()
      try {
        await inTurn(async () => {
          if (held) await keyValue.delete(key)
        })
      } catch (error) {
        // Others wait until it lapses.
        tellUnwritten(error)
      }
    },
  }
}
