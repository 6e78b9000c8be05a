import type { Store } from '@parley/ports'
import { MeshError, type AgentName } from '@parley/protocol'
import { decodeEntry, emptyHead } from '../journal/journal-format.ts'
import { formatSagaStream } from '../journal/saga-journal.ts'
import type { SagaEvent } from '../kernel/saga-event.ts'
import { formatPaperKey, type Paper } from '../receipt/paper.ts'
import { formatEnd, formatHead, formatPaper } from './saga-file.ts'

/** How a saga is exported. */
export interface ExportSagaOptions {
  /**
   * `false` leaves out what was sent and answered; who did what stays as provable as before. Default true. Bodies that stand
   * beside the journal, as large or encrypted ones, are never in an export.
   */
  readonly withBodies?: boolean
}

/**
 * Exports a saga as JSON Lines, for `verifySagaExport`: its journal as the store has it, the credentials that its receipts
 * name, and an end. Rejects with `saga.unknown`, `saga.journal-corrupt`, and `saga.sealed` for one whose journal was compacted.
 */
export async function exportSaga(
  store: Pick<Store, 'journal' | 'keyValue'>,
  agent: AgentName,
  saga: string,
  { withBodies = true }: ExportSagaOptions = {},
): Promise<string> {
  const stream = formatSagaStream(agent, saga)
  const entries = await store.journal.read(stream)
  if (entries.length === 0) throw new MeshError('saga.unknown', `${agent} has no saga "${saga}": check the id`)
  const lines = [formatHead({ agent, saga })]
  const papers = new Map<string, Paper | undefined>()
  let head = emptyHead(stream)
  for (const { position, data } of entries) {
    const decoded = decodeEntry(head, position, data)
    if (decoded.entry.event.type === 'sealed')
      throw new MeshError(
        'saga.sealed',
        `of "${saga}" only its seal is left: export sagas before their journals are compacted`,
      )
    head = decoded.head
    const [first = '', second] = new TextDecoder().decode(data).split('\n')
    lines.push(first)
    // What people decided is shown in the words that they signed, or not at all.
    if (second !== undefined && (withBodies || decoded.entry.event.type === 'decided')) lines.push(second)
    for (const name of listPapers(decoded.entry.event)) {
      if (papers.has(name)) continue
      papers.set(name, await readPaper(store, agent, name))
    }
  }
  for (const paper of papers.values()) if (paper) lines.push(formatPaper(paper))
  lines.push(formatEnd({ entries: entries.length, head: head.hash }))
  return `${lines.join('\n')}\n`
}

function listPapers(event: SagaEvent): readonly string[] {
  if (event.type !== 'receipt') return []
  return [...(event.command ? [event.command.credential] : []), event.answer.credential]
}

/** What is not there is left out: whoever verifies the file says which receipt misses it. */
async function readPaper(store: Pick<Store, 'keyValue'>, agent: AgentName, name: string): Promise<Paper | undefined> {
  const kept = await store.keyValue.get(formatPaperKey(agent, name))
  return kept && (JSON.parse(new TextDecoder().decode(kept.value)) as Paper)
}
