import type { Journal } from '@parley/ports'
import type { SagaEvent } from '../kernel/saga-event.ts'

const last: ReadonlySet<string> = new Set<SagaEvent['type']>(['completed', 'compensated', 'aborted'])

/**
 * Tells by its last entry whether a saga is over. A hint that spares reading the whole: what it says of an entry that was
 * tampered with is what a whole read would refuse.
 */
export async function peekIsOver(journal: Journal, stream: string): Promise<boolean> {
  const [entry] = await journal.read(stream, await journal.last(stream), 1)
  if (!entry) return true
  try {
    const value = JSON.parse(new TextDecoder().decode(entry.data)) as {
      readonly event?: { readonly type?: unknown; readonly decision?: unknown }
    }
    const { type, decision } = value.event ?? {}
    return last.has(String(type)) || (type === 'decided' && decision === 'abort')
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}
