import type { CallReceipt } from '@parley/mesh'
import { systemHash } from '@parley/ports'
import { commitBody, hasBody, type Evidence, type EvidenceBody } from '@parley/protocol'
import type { StepCall } from '../kernel/interpret-outcome.ts'
import type { ReceiptEvent, SagaEvent } from '../kernel/saga-event.ts'
import type { SagaState } from '../kernel/saga-state.ts'
import type { PaperShelf } from './paper-shelf.ts'
import { toSignedLine, type SignedLine } from './signed-line.ts'

/** What a command and its answer leave for the journal, before it is known what they mean. */
export interface KeptReceipt {
  readonly command: SignedLine
  readonly answer: SignedLine
  readonly commandBody: EvidenceBody | undefined
  readonly answerBody: EvidenceBody | undefined
}

/** Events that settle something by an answer, and are worth a receipt. */
const settling: ReadonlySet<SagaEvent['type']> = new Set([
  'committed',
  'declined',
  'refused',
  'failed',
  'looked-up',
  'undone',
  'stalled',
])

/** Prepares the receipt of a call. Resolves once its papers are durable; at once where they are known to be. */
export function keepReceipt(shelf: PaperShelf, { command, answer }: CallReceipt): KeptReceipt | Promise<KeptReceipt> {
  const [commander, answerer] = [shelf.keep(command.credential), shelf.keep(answer.credential)]
  const write = (commandPaper: string, answerPaper: string): KeptReceipt => {
    const [commanded, answered] = [command.evidence(), answer.evidence()]
    return {
      command: toSignedLine(commanded, commandPaper, commit),
      answer: toSignedLine(answered, answerPaper, commit),
      commandBody: bodyOf(commanded),
      answerBody: bodyOf(answered),
    }
  }
  return typeof commander === 'string' && typeof answerer === 'string'
    ? write(commander, answerer)
    : Promise.all([commander, answerer]).then((papers) => write(...papers))
}

function commit({ salt, body }: EvidenceBody): Uint8Array {
  return commitBody(systemHash, salt, body)
}

function bodyOf({ content }: Evidence): EvidenceBody | undefined {
  return hasBody(content) ? content : undefined
}

/** Puts the receipt before what it settles. A call that settles nothing, as one that waits, leaves none. */
export function withReceipt(
  state: SagaState,
  call: StepCall,
  kept: KeptReceipt | undefined,
  events: readonly SagaEvent[],
): readonly SagaEvent[] {
  const fact = events.find(({ type }) => settling.has(type))
  if (!kept || !fact) return events
  const command = openCommand(state, call, kept.commandBody)
  const answer = openAnswer(fact, kept.answerBody)
  const opened = { ...(command && { command }), ...(answer && { answer }) }
  const receipt: ReceiptEvent = {
    type: 'receipt',
    step: call.step,
    phase: call.phase,
    attempt: call.attempt,
    command: kept.command,
    answer: kept.answer,
    ...((command || answer) && { opened }),
  }
  return [receipt, ...events]
}

/** With its salt, the journal's own input shows what the command carried. */
function openCommand(
  state: SagaState,
  { step, phase }: StepCall,
  body: EvidenceBody | undefined,
): { salt: string } | undefined {
  if (!body || phase !== 'do') return undefined
  const input: unknown = state.steps[step]?.input
  return JSON.stringify(input ?? null) === Buffer.from(body.body).toString() ? { salt: encode(body.salt) } : undefined
}

/** The journal's own output shows what was answered, where writing it anew gives the same bytes; else the text is kept. */
function openAnswer(fact: SagaEvent, content: EvidenceBody | undefined): NonNullable<ReceiptEvent['opened']>['answer'] {
  if (!content) return undefined
  const text = Buffer.from(content.body).toString()
  const salt = encode(content.salt)
  const written = writeAnswer(fact)
  if (written !== undefined && text.startsWith(written)) {
    const record = /^(?:,"record":(\d+))?\}$/.exec(text.slice(written.length))
    if (record) return { salt, ...(record[1] !== undefined && { record: Number(record[1]) }) }
  }
  // A sealed body is no text, and nobody can show any more what it said.
  return fact.type !== 'undone' && fact.type !== 'looked-up' && Buffer.from(text).equals(content.body)
    ? { salt, body: text }
    : undefined
}

/** Writes the answer of a forward command as its participant does, up to its record number. */
export function writeAnswer(fact: SagaEvent): string | undefined {
  if (fact.type !== 'committed' || fact.by !== 'reply') return undefined
  return `{"outcome":${JSON.stringify({ kind: 'ok', output: fact.output })}`
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}
