import type { Clock, Journal, Random } from '@parley/ports'
import { isMeshError, MeshError, type AgentName } from '@parley/protocol'
import type { SagaEvent, SealedEvent } from '../kernel/saga-event.ts'
import { maxInlineBytes, openBodyVault, type BodyRefs, type StoredEvent, type VaultOptions } from './body-vault.ts'
import { describeErased } from './data-keys.ts'
import { decodeEntry, emptyHead, encodeEntry, type JournaledEvent, type JournalHead } from './journal-format.ts'

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
  /** The end of what this writer knows. */
  head(): JournalHead
  /** Puts what `make` makes of the beginning of the chain in the place of everything, in one step. Rejects as `append` does. */
  seal(make: (genesis: string) => SealedEvent): Promise<void>
  /** Destroys the key of the bodies, and removes those that are stored. The chain stays what it is. */
  erase(): Promise<void>
  /** Whether bodies stand beside what was read, and whether they are in boxes. */
  bodies(): 'inline' | 'beside' | 'boxed'
}

/** What writing a journal needs of the world. */
export interface JournalWorld {
  readonly clock: Clock
  readonly random: Random
}

/** Opens the journal of a saga at its beginning. Bodies that do not stand in it are kept with `bodies`. */
export function openSagaJournal(
  journal: Journal,
  stream: string,
  { clock, random }: JournalWorld,
  bodies?: VaultOptions,
): SagaJournal {
  const vault = bodies && openBodyVault(stream, bodies)
  let kept: 'inline' | 'beside' | 'boxed' = 'inline'
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
  const restore = async (entry: JournaledEvent, bodies: BodyRefs): Promise<JournaledEvent> => {
    if (!vault) throw describeErased(stream)
    if (kept !== 'boxed') kept = Object.values(bodies).some((ref) => 'box' in ref || ref.boxed) ? 'boxed' : 'beside'
    const { event, erased } = await vault.restore({ event: entry.event, bodies })
    return { ...entry, event, ...(erased.length > 0 && { erased }) }
  }
  const encodeAll = (events: readonly StoredEvent[]): ReturnType<typeof encodeEntry>[] => {
    const atMs = clock.now()
    let last = head
    return events.map(({ event, bodies }) => {
      const one = encodeEntry(last, atMs, event, random, bodies)
      last = one.head
      return one
    })
  }
  return {
    head: () => head,
    async read() {
      const entries: JournaledEvent[] = []
      for (const { position, data } of await journal.read(stream, head.position + 1)) {
        const { head: next, entry, bodies } = decodeEntry(head, position, data)
        head = next
        entries.push(bodies ? await restore(entry, bodies) : entry)
      }
      return entries
    },
    async append(events) {
      const encoded = encodeAll(events.map((event) => ({ event })))
      // Where bodies may have to be in boxes, none is written without asking.
      const isPlain =
        !bodies?.dataKeys && kept !== 'boxed' && encoded.every(({ data }) => data.length <= maxInlineBytes)
      const written = isPlain || !vault ? encoded : encodeAll(await vault.store(events, head.position === 0))
      await fenced(() =>
        journal.append(
          stream,
          head.position,
          written.map(({ data }) => data),
        ),
      )
      head = written.at(-1)?.head ?? head
      return encoded.map(({ entry }) => entry)
    },
    async seal(make) {
      const sealed = encodeEntry(head, clock.now(), make(emptyHead(stream).hash), random)
      await fenced(() => journal.compact(stream, head.position, [sealed.data]))
      head = sealed.head
    },
    erase: async () => vault?.erase(),
    bodies: () => kept,
  }
}
