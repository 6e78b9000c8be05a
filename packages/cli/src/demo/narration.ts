import type { AppendedRecord } from '@parley/mesh'

/** Tells in one line what a record says; undefined for what is not worth a line. */
export function narrateRecord(record: AppendedRecord): string | undefined {
  switch (record.kind) {
    case 'hop':
      return record['side'] === 'callee' ? narrateServed(record) : narrateCalled(record)
    case 'saga':
      return narrateSaga(record)
    case 'breaker':
      return narrateBreaker(record)
    case 'trust':
      return `trust in ${nameOf(record['peer'])}: ${text(record, 'from')} → ${text(record, 'to')}, score ${text(record, 'score')}`
    case 'rejected':
      return `rejects unread: ${text(record, 'frames')} frame(s), ${text(record, 'codes')}`
    case 'envelope':
      return `refuses an envelope of type ${text(record, 'type')}: ${text(record, 'code')}`
    case 'gap':
      return `finds that the log was not closed after record ${text(record, 'afterSeq')}`
    case 'lifecycle':
      return record['event'] === 'opened'
        ? `opens its log with the key …${text(record, 'instance').slice(-8)}`
        : undefined
    default:
      return undefined
  }
}

function narrateServed(record: AppendedRecord): string | undefined {
  const what = commandOf(record)
  const caller = text(record, 'peer')
  switch (record['outcome']) {
    case 'ok':
      // Reads that go well come by the dozen.
      if (record['saga'] === undefined) return undefined
      return `${record['phase'] === 'lookup' ? 'answers' : 'does'} ${what} for ${caller}`
    case 'declined':
      return `declines ${what} for ${caller}: ${text(record, 'code')}`
    case 'refused':
      return `refuses ${what} of ${caller === '' ? 'an unproven sender' : caller} at ${text(record, 'stage')}: ${text(record, 'code')}`
    default:
      return `fails in ${what} for ${caller}: ${text(record, 'code')}`
  }
}

/** What arrived is told by its callee; here only what did not arrive, or is not known to have. */
function narrateCalled(record: AppendedRecord): string | undefined {
  const what = `${commandOf(record)} to ${text(record, 'peer')}`
  if (record['sent'] !== true) return `does not send ${what}: ${text(record, 'code')}`
  return record['outcome'] === 'unknown' ? `does not know what became of ${what}: ${text(record, 'code')}` : undefined
}

const quietEvents: ReadonlySet<unknown> = new Set(['intended', 'undo-intended', 'deferred'])

function narrateSaga(record: AppendedRecord): string | undefined {
  const event = text(record, 'event')
  if (quietEvents.has(event)) return undefined
  const step = text(record, 'step')
  const code = text(record, 'code')
  const of = `saga ${text(record, 'saga')}:`
  if (event === 'owned') return `${of} owned, epoch ${text(record, 'epoch')}`
  if (event === 'turned') return `${of} turns back after ${step}: ${code}`
  return [of, step, event, code === '' ? '' : `(${code})`].filter((part) => part !== '').join(' ')
}

function narrateBreaker(record: AppendedRecord): string | undefined {
  const of = `${text(record, 'capability')} at ${nameOf(record['peer'])}`
  if (record['event'] !== 'breaker') return `${text(record, 'event')}: ${of}`
  return `breaker of ${of}: ${text(record, 'from')} → ${text(record, 'to')}, ${text(record, 'reason')}`
}

function commandOf(record: AppendedRecord): string {
  const phase = record['phase'] === 'undo' || record['phase'] === 'lookup' ? `${text(record, 'phase')} of ` : ''
  const step = record['saga'] === undefined ? '' : ` (${text(record, 'saga')})`
  return `${phase}${text(record, 'capability')}${step}`
}

function nameOf(peer: unknown): string {
  return typeof peer === 'string' ? (peer.split(' ').at(-1) ?? peer) : ''
}

function text(record: AppendedRecord, field: string): string {
  const value = record[field]
  return value === undefined || value === null ? '' : String(value)
}
