import { decideArguments, type Constraints } from '@parley/identity'
import { systemHash } from '@parley/ports'
import { commitBody, MeshError } from '@parley/protocol'
import { isSameJson } from '../json-value.ts'
import type { ReceiptEvent, SagaEvent } from '../kernel/saga-event.ts'
import { writeAnswer } from '../receipt/step-receipt.ts'
import type { SignedLine } from '../receipt/signed-line.ts'
import type { BodyProof } from './saga-account.ts'

/** What a step was given, as its intent has it. */
export interface GivenInput {
  /** The bodies of the intent are in the file. */
  readonly isHere: boolean
  readonly input: unknown
}

/** Holds the journal's input against what the command was signed over. Throws `saga.receipt-invalid` for another one. */
export function verifyInput({ command, opened }: ReceiptEvent, { isHere, input }: GivenInput): BodyProof {
  if (!isHere) return 'apart'
  const text = JSON.stringify(input ?? null)
  const { bodyRef } = (command?.header ?? {}) as { readonly bodyRef?: { readonly hash?: unknown } }
  if (bodyRef) {
    demand(encode(systemHash(Buffer.from(text))) === bodyRef.hash, 'is of a command with another input')
    return 'signed'
  }
  if (!command || !opened?.command) return 'claimed'
  demand(isCommitted(command, opened.command.salt, text), 'is of a command with another input')
  return 'signed'
}

/** Holds an input against what a chain lets its commands carry. */
export function verifyArguments(constraints: Constraints, { isHere, input }: GivenInput): void {
  const verdict = isHere ? decideArguments(constraints, input) : undefined
  if (verdict?.kind === 'deny') throw new MeshError(verdict.code, `the chain of the command: ${verdict.reason}`)
}

/** Holds what the journal says of an answer against what the participant signed. Throws `saga.receipt-invalid`. */
export function verifyOutput({ answer, opened }: ReceiptEvent, fact: SagaEvent, isHere: boolean): BodyProof {
  if (!opened?.answer) return isHere ? 'claimed' : 'apart'
  const { salt, record, body } = opened.answer
  const text = body ?? `${writeAnswer(fact) ?? ''}${record === undefined ? '' : `,"record":${String(record)}`}}`
  demand(isCommitted(answer, salt, text), 'is of another answer than the journal has')
  return body === undefined || says(body, fact) ? 'signed' : 'claimed'
}

/** Tells whether a signed answer says what the journal made of it. A schema may have read more into an output. */
function says(body: string, fact: SagaEvent): boolean {
  const outcome = readOutcome(body)
  if (fact.type === 'declined' && fact.by === 'reply') return isSameJson(outcome?.['error'], fact.error)
  if (fact.type !== 'committed') return 'code' in fact && outcome?.['code'] === fact.code
  const output = outcome?.['output']
  if (fact.by !== 'lookup') return isSameJson(output, fact.output)
  return isSameJson((output as { readonly output?: unknown } | null)?.output, fact.output)
}

function readOutcome(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return (JSON.parse(body) as { readonly outcome?: Readonly<Record<string, unknown>> } | null)?.outcome
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isCommitted({ commitment }: SignedLine, salt: string, text: string): boolean {
  return encode(commitBody(systemHash, Buffer.from(salt, 'base64url'), Buffer.from(text))) === commitment
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

function demand(holds: boolean, problem: string): void {
  if (!holds) throw new MeshError('saga.receipt-invalid', `the receipt ${problem}`)
}
