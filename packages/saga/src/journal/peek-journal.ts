import type { Journal, JournalEntry } from '@parley/ports'
import type { SagaEvent } from '../kernel/saga-event.ts'

const last: ReadonlySet<string> = new Set<SagaEvent['type']>(['sealed', 'completed', 'compensated', 'aborted'])

/** The end of a saga that is over, as its last entries tell. */
export interface SagaEnd {
  /** When the last entry was written, in milliseconds since the Unix epoch. */
  readonly atMs: number
  readonly isSealed: boolean
  /** Its seal says that bodies stood beside it. */
  readonly hasBodies: boolean
}

/**
 * Tells by its last entries whether a saga is over. A hint that spares reading the whole: what it says of an entry that was
 * tampered with is what a whole read would refuse.
 */
export async function peekIsOver(journal: Journal, stream: string): Promise<boolean> {
  const entries = await readTail(journal, stream)
  return entries.length === 0 || entries.some(({ isLast }) => isLast)
}

/** Tells when a saga ended; undefined where it is not over, or is not there. */
export async function peekEnd(journal: Journal, stream: string): Promise<SagaEnd | undefined> {
  const entries = await readTail(journal, stream)
  if (!entries.some(({ isLast }) => isLast)) return undefined
  return {
    atMs: entries.at(-1)?.atMs ?? 0,
    isSealed: entries.some(({ isSeal }) => isSeal),
    hasBodies: entries.some((entry) => entry.hasBodies),
  }
}

/** Receipts that may come after the end; one that has more is read as a whole. */
const maxReceipts = 4

interface Peeked {
  readonly atMs: number
  readonly isLast: boolean
  readonly isSeal: boolean
  readonly hasBodies: boolean
}

async function readTail(journal: Journal, stream: string): Promise<readonly Peeked[]> {
  const position = await journal.last(stream)
  if (position === 0) return []
  return (await journal.read(stream, Math.max(1, position - maxReceipts), maxReceipts + 1)).map(peek)
}

function peek(entry: JournalEntry): Peeked {
  try {
    const { at, event } = JSON.parse(new TextDecoder().decode(entry.data).split('\n', 1)[0] ?? '') as {
      readonly at?: unknown
      readonly event?: { readonly type?: unknown; readonly decision?: unknown; readonly bodies?: unknown }
    }
    const { type, decision, bodies } = event ?? {}
    return {
      atMs: Number(at),
      isLast: last.has(String(type)) || (type === 'decided' && decision === 'abort'),
      isSeal: type === 'sealed',
      hasBodies: type === 'sealed' && bodies === true,
    }
  } catch (error) {
    if (error instanceof SyntaxError) return { atMs: Number.NaN, isLast: false, isSeal: false, hasBodies: false }
    throw error
  }
}
