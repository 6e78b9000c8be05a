import type { VerifiedCredential } from '@parley/identity'
import type { SagaCommand } from '../calling/saga-command.ts'

/** A command that could not be served and will not be by sending it again, as it is kept. */
export interface DeadLetter {
  /** Names the command: equal for all its attempts. */
  readonly id: string
  /** When its first attempt was kept, and its last, in milliseconds since the Unix epoch. */
  readonly keptAtMs: number
  readonly lastAtMs: number
  /** How often it ended so since it was kept. */
  readonly count: number
  /** How often it was replayed here. */
  readonly replays: number
  /** What its last attempt ended with. */
  readonly code: string
  readonly capability: string
  readonly saga: SagaCommand
  /** Who sent it, as it was verified then. */
  readonly caller: VerifiedCredential
  /** Leaf hash of the request, base64url. */
  readonly leaf: string
  /** The signed request itself (`verifyEvidence`), base64url; an encrypted body stays encrypted. */
  readonly evidence: string
}

/** A dead letter as people see it: all but the request and the credential. */
export interface DeadLetterView extends Omit<DeadLetter, 'caller' | 'evidence'> {
  readonly caller: { readonly owner: string; readonly name: string; readonly instance: string }
}

/** Shows a letter without its request. */
export function describeDeadLetter({ evidence: _evidence, caller, ...rest }: DeadLetter): DeadLetterView {
  return { ...rest, caller: { owner: caller.owner, name: caller.name, instance: caller.instance } }
}

/** Decodes what a store holds; undefined for what no version of this wrote. */
export function decodeDeadLetter(bytes: Uint8Array): DeadLetter | undefined {
  try {
    const letter = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Partial<DeadLetter>
    const isWhole =
      typeof letter.id === 'string' &&
      typeof letter.evidence === 'string' &&
      typeof letter.caller?.instance === 'string' &&
      typeof letter.saga?.key === 'string'
    return isWhole ? (letter as DeadLetter) : undefined
  } catch {
    return undefined
  }
}
