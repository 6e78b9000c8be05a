import { systemHash, type Journal } from '@parley/ports'
import { isMeshError, MeshError, type AgentName } from '@parley/protocol'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The queue of the sagas that share a key: tickets in a stream, in the order in which they were drawn. */
export interface KeyQueue {
  /**
   * Draws a ticket for a saga, once; returns the id of the saga right before it, undefined for the first. A saga that was
   * started just now has none yet, so that nobody has to look for it.
   */
  enter(id: string, isNew: boolean): Promise<string | undefined>
}

/** Names the prefix of the queues of all keys of one agent. */
export function formatKeyPrefix(name: AgentName): string {
  return `saga-key/${name}/`
}

/**
 * Removes the tickets at the front of a queue whose sagas are over, where that is at least half of it. The last ticket stays,
 * so that the next saga finds the queue where it is.
 */
export async function trimTickets(
  journal: Journal,
  stream: string,
  isOver: (id: string) => Promise<boolean>,
): Promise<void> {
  const tickets = await journal.read(stream)
  const last = tickets.at(-1)
  if (!last) return
  let done = 0
  for (const { data } of tickets.slice(0, -1)) {
    if (!(await isOver(decoder.decode(data)))) break
    done++
  }
  const kept = tickets.slice(done).map(({ data }) => data)
  if (done === 0 || done < kept.length) return
  try {
    await journal.compact(stream, last.position, kept)
  } catch (error) {
    // Somebody drew a ticket meanwhile: there is another time.
    if (!isMeshError(error) || error.code !== 'store.position-conflict') throw error
  }
}

/** Opens the queue of one key. Any text is a key: the stream is named by its hash. */
export function openKeyQueue(journal: Journal, name: AgentName, key: string): KeyQueue {
  const hash = Buffer.from(systemHash(encoder.encode(key))).toString('base64url')
  const stream = `${formatKeyPrefix(name)}${hash}`
  return {
    async enter(id, isNew) {
      for (;;) {
        const last = await journal.last(stream)
        const from = isNew ? Math.max(1, last) : 1
        const tickets = (await journal.read(stream, from, last - from + 1)).map(({ data }) => decoder.decode(data))
        const at = tickets.indexOf(id)
        if (at >= 0) return tickets[at - 1]
        try {
          await journal.append(stream, last, [encoder.encode(id)])
          return tickets.at(-1)
        } catch (error) {
          if (!isMeshError(error) || error.code !== 'store.position-conflict') throw error
        }
      }
    },
  }
}

/** Refuses a key that is no text, or too long to be one. Throws `saga.id-invalid`. */
export function assertKey(key: string): void {
  if (key.length === 0 || key.length > 512)
    throw new MeshError('saga.id-invalid', 'the key of a saga must be 1 to 512 characters long')
}
