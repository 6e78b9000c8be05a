import type { EnvelopeHeader } from '@parley/protocol'
import type { DeadLetter } from './dead-letter.ts'
import type { BareOutcome } from '../contract/outcome.ts'
import type { EvidenceOf } from '../session/evidence-of.ts'
import type { Session } from '../session/session.ts'

/** A request that ended; an inbound hop is one. */
export interface EndedRequest {
  readonly header?: EnvelopeHeader
  readonly session?: Pick<Session, 'peer'>
  readonly leaf: string
  readonly evidence: EvidenceOf
}

/** What a node keeps of commands that it could not serve. */
export interface DeadLetterBox {
  /** Reads what the life before kept. */
  load(): Promise<void>
  /** Hears how a request ended: keeps it if it is poison, and forgets it once it was served after all. */
  note(request: EndedRequest, outcome: BareOutcome): void
  /** Lists letters, the oldest first. */
  list(): readonly DeadLetter[]
  find(id: string): DeadLetter | undefined
  /** Notes that a letter was replayed, and how that ended; one that was served is forgotten. Resolves once it is durable. */
  replayed(id: string, outcome: BareOutcome): Promise<void>
  /** Forgets a letter; false if there is none. Resolves once it is durable. */
  drop(id: string): Promise<boolean>
}
