import type { BareOutcome } from '../contract/outcome.ts'
import type { DeadLetterView } from './dead-letter.ts'

/** One letter with the arguments of its command. */
export interface OpenedDeadLetter extends DeadLetterView {
  /** The body as JSON; absent where it is encrypted, too large or no JSON. */
  readonly input?: unknown
}

/**
 * The commands of sagas that a node could not serve: they do not fit the contract, name a capability that it does not have,
 * or broke its handler three times. They are kept in its store, at most 1,000 and 100 of one caller, the oldest making room,
 * and forgotten once they are served.
 */
export interface DeadLetters {
  /** Lists them, the oldest first. Rejects with `mesh.not-started` before `start`, as all of these. */
  list(): Promise<readonly DeadLetterView[]>
  show(id: string): Promise<OpenedDeadLetter | undefined>
  /**
   * Runs a command again as if it had come now: everything is asked of it that is asked of a fresh one, but whether it is on
   * time. Resolves with how it ended, once that is durable; undefined if there is no such letter.
   */
  replay(id: string): Promise<BareOutcome | undefined>
  /** Forgets one; false if there is no such letter. */
  drop(id: string): Promise<boolean>
}
