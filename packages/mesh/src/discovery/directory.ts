import type { Clock } from '@parley/ports'
import { formatAgentId, type AgentId, type Did, type InstanceDid } from '@parley/protocol'
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
  /** Live instances of a name: those that are suspected last, else the most recent announcement first. */
  instancesOf(agent: AgentId): readonly DirectoryEntry[]
  /** Live instances that serve a capability. */
  servers(capability: string): readonly DirectoryEntry[]
  entries(): readonly DirectoryEntry[]
  /** Resolves at the next change, or after `timeoutMs`. */
  changed(timeoutMs: number): Promise<void>
}

/** Who is live, until something is announced or lapses: every call asks, and announcements come every few seconds. */
interface LiveView {
  readonly entries: readonly DirectoryEntry[]
  /** Monotonic time up to which nobody lapses. */
  readonly untilMs: number
  readonly byAgent: Map<string, readonly DirectoryEntry[]>
}

/**
 * Creates a directory in which an instance lapses `lapseMs` after its last announcement. Bounded to 10,000 instances; an owner
 * that fills it takes no place of another.
 */
export function createDirectory(clock: Clock, lapseMs: number, maxInstances = 10_000): Directory {
  const byInstance = new Map<InstanceDid, DirectoryEntry & { readonly seenAtMs: number; readonly suspected: boolean }>()
  const waiting = new Set<() => void>()
  const notify = (): void => {
    for (const wake of Array.from(waiting)) wake()
  }
  let view: LiveView | undefined
  const liveView = (): LiveView => {
    const nowMs = clock.monotonic()
    if (view && nowMs <= view.untilMs) return view
    let oldestMs = Infinity
    const entries: (DirectoryEntry & { readonly suspected: boolean })[] = []
    for (const [instance, entry] of byInstance) {
      if (entry.seenAtMs < nowMs - lapseMs) byInstance.delete(instance)
      else {
        entries.push(entry)
        oldestMs = Math.min(oldestMs, entry.seenAtMs)
      }
    }
    entries.sort(
      (left, right) => Number(left.suspected) - Number(right.suspected) || right.announcedAtMs - left.announcedAtMs,
    )
    view = { entries, untilMs: oldestMs + lapseMs, byAgent: new Map() }
    return view
  }
  const live = (): readonly DirectoryEntry[] => liveView().entries
  /** Gives up the oldest announcement of the owner that has most, unless it is the newcomer's own owner. */
  const makeRoom = ({ credential: { owner: newcomer } }: DirectoryEntry): boolean => {
    const oldestOf = new Map<Did, { readonly instance: InstanceDid; readonly seenAtMs: number; count: number }>()
    for (const [instance, { credential, seenAtMs }] of byInstance) {
      const known = oldestOf.get(credential.owner)
      const count = (known?.count ?? 0) + 1
      const isOlder = !known || seenAtMs < known.seenAtMs
      oldestOf.set(credential.owner, isOlder ? { instance, seenAtMs, count } : { ...known, count })
    }
    const [most] = [...oldestOf].sort(([, one], [, other]) => other.count - one.count)
    const own = oldestOf.get(newcomer)?.count ?? 0
    if (!most || own + 1 >= most[1].count) return false
    byInstance.delete(most[1].instance)
    return true
  }
  return {
    announce(entry) {
      const { instance } = entry.credential
      const known = byInstance.get(instance)
      // The times are wall times: when the sender's clock was set back, what is known lapses before it is replaced.
      const isLive = known !== undefined && known.seenAtMs >= clock.monotonic() - lapseMs
      if (isLive && known.announcedAtMs >= entry.announcedAtMs) return
      if (!known && byInstance.size >= maxInstances && live().length >= maxInstances && !makeRoom(entry)) return
      byInstance.set(instance, { ...entry, seenAtMs: clock.monotonic(), suspected: false })
      view = undefined
      notify()
    },
    suspect(instance) {
      const known = byInstance.get(instance)
      if (!known || known.suspected) return
      byInstance.set(instance, { ...known, suspected: true })
      view = undefined
    },
    leave(instance) {
      if (!byInstance.delete(instance)) return
      view = undefined
      notify()
    },
    instancesOf(agent) {
      const key = formatAgentId(agent)
      const { entries, byAgent } = liveView()
      let found = byAgent.get(key)
      if (!found) {
        found = entries.filter(({ credential }) => formatAgentId(credential) === key)
        byAgent.set(key, found)
      }
      return found
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
