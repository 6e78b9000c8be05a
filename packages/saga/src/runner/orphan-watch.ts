import type { SagaNode } from './saga-node.ts'
import type { LeaseWatch } from './lease-watch.ts'

/** Looks for sagas that nobody drives, now and from then on. */
export interface OrphanWatch {
  /** Looks once, and begins to watch. */
  begin(): Promise<void>
  /** Looks soon, whatever the leases say: for a saga that this process had to let go. */
  hurry(): void
  stop(): void
}

/** What a watch works with. */
export interface OrphanWatchOptions {
  readonly node: Pick<SagaNode, 'clock' | 'random' | 'logger'>
  readonly leases: LeaseWatch
  readonly leaseMs: number
  /** Takes what is nobody's. */
  readonly adopt: (alive: ReadonlySet<string>) => Promise<void>
}

/** How many looks pass without a reason before everything is looked at: for an instance that came and went unseen. */
const looksPerScan = 30

/** So many times as long as looking at everything took, nothing is looked at without a reason: it costs a twentieth of a process at most. */
const restPerScan = 20

/**
 * Creates a watch. Leases are cheap to look at and looked at often; sagas only when an instance went away, and now and then.
 * The time between looks is jittered, so that several instances do not take the same sagas from each other.
 */
export function createOrphanWatch({ node, leases, leaseMs, adopt }: OrphanWatchOptions): OrphanWatch {
  const { clock, random, logger } = node
  let cancelTimer = (): void => undefined
  let stopped = false
  let looks = 0
  let restedAtMs = 0
  let due = true

  const look = async (): Promise<void> => {
    const { alive, changed } = await leases.look()
    const isRested = ++looks >= looksPerScan && clock.monotonic() >= restedAtMs
    if (!changed && !due && !isRested) return
    looks = 0
    due = false
    const begunAtMs = clock.monotonic()
    try {
      await adopt(alive)
      const endedAtMs = clock.monotonic()
      restedAtMs = endedAtMs + restPerScan * (endedAtMs - begunAtMs)
    } catch (error) {
      due = true
      throw error
    }
  }
  const lookAgain = async (): Promise<void> => {
    try {
      await look()
    } catch (error) {
      // A store that is gone is asked again; what is nobody's stays so until then.
      logger.warn('saga.adoption-failed', { error: error instanceof Error ? error.message : 'not an error' })
    }
    schedule()
  }
  const schedule = (): void => {
    if (!stopped) cancelTimer = clock.setTimer(() => void lookAgain(), (leaseMs / 3) * (0.75 + random.float() / 2))
  }
  return {
    async begin() {
      cancelTimer()
      due = true
      try {
        await look()
      } finally {
        cancelTimer()
        schedule()
      }
    },
    hurry() {
      due = true
    },
    stop() {
      stopped = true
      cancelTimer()
    },
  }
}
