import type { Clock } from '@parley/ports'
import { allowed, refuse, type Refusal, type Verdict } from '@parley/protocol'
import type { DocumentLimit } from '../decide-policy.ts'

/** Who asks for what: each pair has buckets of its own. */
export interface MeteredHop {
  /** Any stable key of the agent that calls, for instance `formatAgentId`. */
  readonly agent: string
  readonly action: string
}

/**
 * The token buckets of one node.
 *
 * I1 A hop takes from all of its buckets or from none.
 * I2 What was taken within any span never exceeds what the bucket holds and what flows in meanwhile; no wall clock is read.
 * I3 At most `maxBuckets` are kept. Only full ones are forgotten: where none is, a hop that needs another is refused.
 */
export interface LimitMeter {
  /** Takes what a decision asks for, or refuses with `policy.rate-limited` and `retryAfterMs`. */
  take(limits: readonly DocumentLimit[], hop: MeteredHop): Verdict
  /** Says what `take` would, and takes nothing. */
  peek(limits: readonly DocumentLimit[], hop: MeteredHop): Verdict
  /** How many buckets are kept. */
  size(): number
}

/** What a meter is made of. */
export interface LimitMeterOptions {
  readonly clock: Clock
  /** Default 100,000. */
  readonly maxBuckets?: number
}

interface Bucket {
  level: number
  atMs: number
  max: number
  perMs: number
}

const defaultMaxBuckets = 100_000
/** Looking for full buckets goes over all of them: not for every hop of a flood. */
const sweepIntervalMs = 1_000

/** Creates a meter whose buckets are all full. */
export function createLimitMeter({ clock, maxBuckets = defaultMaxBuckets }: LimitMeterOptions): LimitMeter {
  const buckets = new Map<string, Bucket>()
  let sweptAtMs = -Infinity

  const hasRoom = (nowMs: number): boolean => {
    if (buckets.size < maxBuckets) return true
    if (nowMs - sweptAtMs < sweepIntervalMs) return false
    sweptAtMs = nowMs
    for (const [key, bucket] of buckets) {
      refill(bucket, nowMs)
      if (bucket.level >= bucket.max) buckets.delete(key)
    }
    return buckets.size < maxBuckets
  }
  const open = (key: string, { max, perMs }: DocumentLimit, nowMs: number): Bucket | undefined => {
    const known = buckets.get(key)
    if (!known) {
      if (!hasRoom(nowMs)) return undefined
      const bucket = { level: max, atMs: nowMs, max, perMs }
      buckets.set(key, bucket)
      return bucket
    }
    refill(known, nowMs)
    // A reload may have changed the rule.
    known.max = max
    known.perMs = perMs
    known.level = Math.min(known.level, max)
    return known
  }
  const judge = (limits: readonly DocumentLimit[], hop: MeteredHop, doesTake: boolean): Verdict => {
    if (limits.length === 0) return allowed
    const nowMs = clock.monotonic()
    const opened: (readonly [Bucket, number])[] = []
    for (const limit of limits) {
      const bucket = open(keyOf(limit, hop), limit, nowMs)
      if (!bucket) return tooMany(limit, sweepIntervalMs)
      // Several limits of one decision may share a bucket.
      const before = opened.reduce((sum, [other, take]) => (other === bucket ? sum + take : sum), 0)
      if (bucket.level < limit.take + before) return refuseBy(limit, bucket, before)
      opened.push([bucket, limit.take])
    }
    if (doesTake) for (const [bucket, take] of opened) bucket.level -= take
    return allowed
  }
  return {
    take: (limits, hop) => judge(limits, hop, true),
    peek: (limits, hop) => judge(limits, hop, false),
    size: () => buckets.size,
  }
}

function keyOf({ document, rule, isShared = false }: DocumentLimit, { agent, action }: MeteredHop): string {
  return `${document}\n${rule}\n${agent}\n${isShared ? '' : action}`
}

function refill(bucket: Bucket, nowMs: number): void {
  const elapsedMs = Math.max(0, nowMs - bucket.atMs)
  bucket.level = Math.min(bucket.max, bucket.level + (elapsedMs * bucket.max) / bucket.perMs)
  bucket.atMs = nowMs
}

function refuseBy(limit: DocumentLimit, { level, max, perMs }: Bucket, before: number): Refusal {
  const missing = limit.take + before - level
  // What is more than the bucket holds never fits, but a full one is as near as it comes.
  return tooMany(limit, Math.ceil((Math.min(missing, max) * perMs) / max))
}

function tooMany({ document, rule, max, perMs }: DocumentLimit, retryAfterMs: number): Refusal {
  const reason = `the rule ${rule} lets ${String(max)} pass in ${String(perMs / 1_000)} s`
  return refuse('policy.rate-limited', reason, { retryAfterMs, rule: `${document}#${rule}` })
}
