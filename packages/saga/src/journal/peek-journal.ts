import type { Journal, JournalEntry } from '@parley/ports'
import type { SagaEvent } from '../kernel/saga-event.ts'

const last: ReadonlySet<string> = new Set<SagaEvent['type']>(['completed', 'compensated', 'aborted'])

/**
 * Tells by its last entries whether a saga is over. A hint that spares reading the whole: what it says of an entry that was
 * tampered with is what a whole read would refuse.
 */
export async function peekIsOver(journal: Journal, stream: string): Promise<boolean> {
  const position = await journal.last(stream)
  if (position === 0) return true
  const entries = await journal.read(stream, Math.max(1, position - maxReceipts), maxReceipts + 1)
  return entries.some(isLast)
}

/** Receipts that may come after the end; one that has more is read as a whole. */
const maxReceipts = 4

function isLast(entry: JournalEntry): boolean {
  try {
    const value = JSON.parse(new TextDecoder().decode(entry.data).split('\n', 1)[0] ?? '') as {
      readonly event?: { readonly type?: unknown; readonly decision?: unknown }
    }
    const { type, decision } = value.event ?? {}
    return last.has(String(type)) || (type === 'decided' && decision === 'abort')
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}
