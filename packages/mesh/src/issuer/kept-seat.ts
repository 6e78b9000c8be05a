import type { InstanceKeys } from '@parley/identity'
import type { ReturnAsked, ReturnGranted } from './issuer-schema.ts'

/**
 * The right of a process to come back to the mesh, kept over its restarts.
 *
 * I1 What an attempt to join was begun with is kept until its answer is: whatever breaks off between, the next start asks the
 * same again.
 * I2 The grant to come back is durable before the credential that came with it is used.
 */
export interface KeptSeat {
  /** The keys of the instance that asks. Forgotten once it was answered: every start has its own. */
  readonly keys: InstanceKeys
  /** What is asked for with the first credential. */
  ask(): ReturnAsked
  /** What is asked for with a renewed credential, if the grant that is kept needs a new life. */
  askAgain(nowMs: number): ReturnAsked | undefined
  /** Keeps what was granted, durably. */
  keep(granted: ReturnGranted): Promise<void>
  /** Lets another process use what is kept. */
  release(): void
}
