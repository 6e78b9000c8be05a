import type { SimEntry } from '@parley/testkit'
import { peekEvent, type SagaEvent } from '@parley/saga'
import type { KnownJournal } from './sim-facts.ts'

/** Reads what orchestrators write, the moment that it is on the disk. */
export interface JournalWatch {
  append(stream: string, entries: readonly SimEntry[]): void
  journals(): ReadonlyMap<string, KnownJournal>
  journal(saga: string): KnownJournal | undefined
  /** Whether the saga has ended, however. */
  hasEnded(saga: string): boolean
  /** Whether an intent to send this command is on the disk. */
  knows(saga: string, key: string, attempt: number): boolean
}

const ends: ReadonlySet<SagaEvent['type']> = new Set(['completed', 'compensated', 'stuck'])

/** Creates a watch. `tell` hears of each event. */
export function createJournalWatch(
  prefix: string,
  tell: (saga: string, by: string, event: SagaEvent) => void,
): JournalWatch {
  const journals = new Map<string, { events: SagaEvent[]; writers: string[] }>()
  const intents = new Set<string>()
  return {
    append(stream, entries) {
      if (!stream.startsWith(prefix)) return
      const saga = stream.slice(prefix.length)
      const journal = journals.get(saga) ?? { events: [], writers: [] }
      journals.set(saga, journal)
      for (const { data, by } of entries) {
        const event = peekEvent(data)
        journal.events.push(event)
        journal.writers.push(by)
        if (event.type === 'intended') intents.add(`${saga} ${event.key} ${event.attempt}`)
        tell(saga, by, event)
      }
    },
    journals: () => journals,
    journal: (saga) => journals.get(saga),
    hasEnded(saga) {
      const last = journals.get(saga)?.events.at(-1)
      return last !== undefined && ends.has(last.type)
    },
    knows: (saga, key, attempt) => intents.has(`${saga} ${key} ${attempt}`),
  }
}
