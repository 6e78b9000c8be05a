import type { Clock, KeyValue, Logger } from '@parley/ports'

// I1 A body is there for as long as was said since a decision read it last, and a day longer at most while the node decides.
// I2 A body is never written without the mark of its day, before it: wherever the process ends, a later sweep finds it.

/** How long a body is kept that a decision read, where nobody says: 30 days, as sagas are. */
export const defaultKeepBodiesMs: number = 30 * 24 * 60 * 60 * 1000

/** The bodies that decisions read, under their digests: from here they can be deleted, and the log still proves what they were. */
export interface DecisionBodies {
  /** Keeps a JSON value; what cannot be kept is told to the logger. */
  keep(digest: string, value: unknown): void
}

/** What bodies are kept with. */
export interface DecisionBodiesOptions {
  readonly keyValue: KeyValue
  readonly clock: Pick<Clock, 'now'>
  readonly logger: Logger
  /** `Infinity` for ever. */
  readonly keepMs: number
}

interface KeptBody {
  /** The last day on which it was read. */
  readonly day: number
  readonly value: unknown
}

const prefix = 'decision-body/'
const sinceKey = 'decision-day-since'
const dayMs = 24 * 60 * 60 * 1000

/** Digests of today that were written: most decisions read what was read before. */
const maxSeen = 10_000

/** Names the marks of one day since the Unix epoch, in order. */
function formatDay(day: number): string {
  return `decision-day/${String(day).padStart(6, '0')}/`
}

/** Creates the bodies of a node. The first body of a day takes away those whose time is over. */
export function createDecisionBodies({ keyValue, clock, logger, keepMs }: DecisionBodiesOptions): DecisionBodies {
  let today = -1
  const seen = new Set<string>()

  /** Both at once, so that a store which commits what comes together commits them together. */
  const write = (digest: string, body: KeptBody): Promise<unknown> =>
    Promise.all([
      keyValue.put(`${formatDay(body.day)}${digest}`, new Uint8Array()),
      keyValue.put(prefix + digest, new TextEncoder().encode(JSON.stringify(body))),
    ])
  const sweep = async (day: number): Promise<void> => {
    const since = await keyValue.get(sinceKey)
    const first = since ? Number(new TextDecoder().decode(since.value)) : day
    const keptFrom = Number.isFinite(keepMs) ? day - Math.ceil(keepMs / dayMs) : 0
    for (let old = first; old < keptFrom; old++)
      for (const { key } of await keyValue.list(formatDay(old))) {
        const digest = key.slice(formatDay(old).length)
        const body = await readKept(keyValue, digest)
        // What was read again meanwhile is just being written.
        if (body && body.day < keptFrom && !seen.has(digest)) await keyValue.delete(prefix + digest)
        await keyValue.delete(key)
      }
    await keyValue.put(sinceKey, new TextEncoder().encode(String(Math.max(first, keptFrom))))
  }
  const tell = (what: string) => (error: unknown) => {
    logger.error('decision.body-not-kept', { what, error: error instanceof Error ? error.message : 'not an error' })
  }
  return {
    keep(digest, value) {
      if (value === undefined) return
      const day = Math.floor(clock.now() / dayMs)
      if (day !== today || seen.size >= maxSeen) seen.clear()
      if (day !== today) sweep(day).catch(tell('sweep'))
      today = day
      if (seen.has(digest)) return
      seen.add(digest)
      write(digest, { day, value }).catch(tell(digest))
    },
  }
}

/** Reads a body that a node kept, by its digest; undefined if it is not there, any more or at all. */
export async function readDecisionBody(
  keyValue: Pick<KeyValue, 'get'>,
  digest: string,
): Promise<{ readonly value: unknown } | undefined> {
  const body = await readKept(keyValue, digest)
  return body && { value: body.value }
}

async function readKept(keyValue: Pick<KeyValue, 'get'>, digest: string): Promise<KeptBody | undefined> {
  const entry = await keyValue.get(prefix + digest)
  return entry && (JSON.parse(new TextDecoder().decode(entry.value)) as KeptBody)
}
