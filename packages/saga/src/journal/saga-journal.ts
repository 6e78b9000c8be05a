import type { Clock, Journal } from '@parley/ports'
import { isMeshError, MeshError, type AgentName } from '@parley/protocol'
import type { SagaEvent, SealedEvent } from '../kernel/saga-event.ts'
import { decodeEntry, emptyHead, encodeEntry, type JournaledEvent } from './journal-format.ts'

const idPattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/

/** Names the prefix of all sagas of one agent. */
export function formatSagaPrefix(name: AgentName): string {
  return `saga/${name}/`
}

/** Names the stream of one saga. Throws `saga.id-invalid` for an id that could not be part of a name everywhere. */
export function formatSagaStream(name: AgentName, id: string): string {
  if (!idPattern.test(id))
    throw new MeshError(
      'saga.id-invalid',
      `"${id.slice(0, 200)}" cannot name a saga: use 1 to 128 of A-Z, a-z, 0-9, ".", "_", ":" and "-"`,
    )
  return `${formatSagaPrefix(name)}${id}`
}

/** The journal of one saga, as one writer knows it. */
export interface SagaJournal {
  /** Reads what was appended since the last read, checks the chain, and returns it. */
  read(): Promise<readonly JournaledEvent[]>
  /**
   * Appends all or none behind what this writer knows, and resolves once it is durable. Rejects with `saga.not-owned` when
   * somebody else appended meanwhile: that append is the fence (T13).
   */
  append(events: readonly SagaEvent[]): Promise<readonly JournaledEvent[]>
  /** Puts what `make` makes of the beginning of the chain in the place of everything, in one step. Rejects as `append` does. */
  seal(make: (genesis: string) => SealedEvent): Promise<void>
}

/** Opens the journal of a saga at its beginning. */
export function openSagaJournal(journal: Journal, stream: string, clock: Clock): SagaJournal {
  let head = emptyHead(stream)
  const fenced = async (write: () => Promise<number>): Promise<void> => {
    try {
      await write()
    } catch (cause) {
      if (!isMeshError(cause) || cause.code !== 'store.position-conflict') throw cause
      throw new MeshError('saga.not-owned', `another instance has appended to ${stream}: it owns the saga now`, {
        cause,
      })
    }
  }
  return {
    async read() {
      const entries: JournaledEvent[] = []
      for (const { position, data } of await journal.read(stream, head.position + 1)) {
        const decoded = decodeEntry(head, position, data)
        head = decoded.head
        entries.push(decoded.entry)
      }
      return entries
    },
    async append(events) {
      const atMs = clock.now()
      const encoded: { readonly data: Uint8Array; readonly entry: JournaledEvent }[] = []
      let next = head
      for (const event of events) {
        const one = encodeEntry(next, atMs, event)
        encoded.push(one)
        next = one.head
      }
      await fenced(() =>
        journal.append(
          stream,
          head.position,
          encoded.map(({ data }) => data),
        ),
      )
      head = next
      return encoded.map(({ entry }) => entry)
    },
    async seal(make) {
      const sealed = encodeEntry(head, clock.now(), make(emptyHead(stream).hash))
      await fenced(() => journal.compact(stream, head.position, [sealed.data]))
      head = sealed.head
    },
  }
}
