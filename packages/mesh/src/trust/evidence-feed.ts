import type { Verdict } from '@parley/protocol'
import type { VerifiedCredential } from '@parley/identity'
import type { EvidenceNews } from './evidence-message.ts'

/**
 * Brings evidence of other nodes to the ledger of this one, and from it to others.
 *
 * I1 A batch is taken from the instance that signed it and from nobody else, if its owner is within the scope of this node.
 * I2 What was missed is asked for, in ranges, of who has it: after a gap, and when a card says that there is more.
 */
export interface EvidenceFeed {
  /** Tells a batch of own evidence that became durable. */
  tell(sealed: Uint8Array): void
  /** Takes the event of an accepted peer in; refuses with the ledger's codes. */
  receive(topic: string, body: Uint8Array, from: VerifiedCredential): Verdict | Promise<Verdict>
  /** A peer announced how much evidence it has. */
  heard(from: VerifiedCredential, news: EvidenceNews | undefined): void
  /** What the own announcement says; undefined where nothing is shared. */
  news(): EvidenceNews | undefined
  /** The node is back on the bus: what it asked for before may never have come. */
  returned(): void
}
