import type { Clock } from '@parley/ports'
import { formatAgentId, type AgentId, type InstanceDid } from '@parley/protocol'
import type { VerifiedCredential } from '@parley/identity'

/** A live instance, as its last announcement says. */
export interface DirectoryEntry {
  readonly credential: VerifiedCredential
  /** Capability → contract hash of what it serves. */
  readonly serves: ReadonlyMap<string, string>
  readonly boot: string
  readonly announcedAtMs: number
  /** It did not answer a call since it announced. */
  readonly suspected?: boolean
}

/** Who is where: the live instances of the mesh, by what they announced. */
export interface Directory {
  /** Takes an announcement in. One that is not newer than what is known changes nothing. */
  announce(entry: DirectoryEntry): void
  /** Puts an instance that did not answer behind the others, until it announces again. */
  suspect(instance: InstanceDid): void
  leave(instance: InstanceDid): void
  get(instance: InstanceDid): DirectoryEntry | undefined
  /** Live instances of a name: those that are suspected last, else the most recent announcement first. */
  instancesOf(agent: AgentId): readonly DirectoryEntry[]
  /** Live instances that serve a capability. */
  servers(capability: string): readonly DirectoryEntry[]
  entries(): readonly DirectoryEntry[]
  /** Resolves at the next change, or after `timeoutMs`. */
  changed(timeoutMs: number): Promise<void>
}

/** Creates a directory in which an instance lapses `lapseMs` after its last announcement. Bounded to 10,000 instances. */
export function createDirectory(clock: Clock, lapseMs: number, maxInstances = 10_000): Directory {
  const byInstance = new Map<InstanceDid, DirectoryEntry & { readonly seenAtMs: number; readonly suspected: boolean }>()
  const waiting = new Set<() => void>()
  const notify = (): void => {
    for (const wake of Array.from(waiting)) wake()
  }
  const live = (): readonly DirectoryEntry[] => {
    const oldest = clock.monotonic() - lapseMs
    const entries: (DirectoryEntry & { readonly suspected: boolean })[] = []
    for (const [instance, entry] of byInstance) {
      if (entry.seenAtMs < oldest) byInstance.delete(instance)
      else entries.push(entry)
    }
    return entries.sort(
      (left, right) => Number(left.suspected) - Number(right.suspected) || right.announcedAtMs - left.announcedAtMs,
    )
  }
  return {
    announce(entry) {
      const { instance } = entry.credential
      const known = byInstance.get(instance)
      // The times are wall times: when the sender's clock was set back, what is known lapses before it is replaced.
      const isLive = known !== undefined && known.seenAtMs >= clock.monotonic() - lapseMs
      if (isLive && known.announcedAtMs >= entry.announcedAtMs) return
      if (!known && byInstance.size >= maxInstances && live().length >= maxInstances) return
      byInstance.set(instance, { ...entry, seenAtMs: clock.monotonic(), suspected: false })
      notify()
    },
    suspect(instance) {
      const known = byInstance.get(instance)
      if (known) byInstance.set(instance, { ...known, suspected: true })
    },
    leave(instance) {
      if (byInstance.delete(instance)) notify()
    },
    get: (instance) => live().find((entry) => entry.credential.instance === instance),
    instancesOf(agent) {
      const key = formatAgentId(agent)
      return live().filter(({ credential }) => formatAgentId(credential) === key)
    },
    servers: (capability) => live().filter(({ serves }) => serves.has(capability)),
    entries: live,
    changed: (timeoutMs) =>
      new Promise((resolve) => {
        const wake = (): void => {
          cancel()
          waiting.delete(wake)
          resolve()
        }
        const cancel = clock.setTimer(wake, timeoutMs)
        waiting.add(wake)
      }),
  }
}
