import type { Hop } from '@parley/mesh'
import type { InboxCommand } from '@parley/ports'
import type { ParticipantOptions } from './participant.ts'

/** How soon whoever meets a lock may ask again, in milliseconds: its own retry plan makes that longer each time. */
const lockRetryMs = 100

/**
 * Takes a target for a command's saga; tells how soon to ask again if another one has it. A call without a saga keeps
 * nothing, and is kept away like any other.
 */
export async function findHolder<Tx, Declared>(
  { locks, clock }: Pick<ParticipantOptions<Tx>, 'locks' | 'clock'>,
  tx: Tx,
  { id, caller, capability }: Pick<Hop<Declared>, 'id' | 'caller' | 'capability'>,
  command: InboxCommand | undefined,
  target: string,
  lockMs: number = Infinity,
): Promise<{ readonly retryAfterMs: number } | undefined> {
  if (!locks) return undefined
  const nowMs = clock.now()
  const { owner, name } = caller
  const passing = { owner, name, saga: `hop ${id}`, key: id, capability, epoch: 0, expiresAtMs: nowMs + 1 }
  const taker = command ?? passing
  const verdict = await locks.take(tx, taker, target, { nowMs, untilMs: Math.min(taker.expiresAtMs, nowMs + lockMs) })
  if (verdict.kind === 'held') return { retryAfterMs: Math.max(1, Math.min(lockRetryMs, verdict.untilMs - nowMs)) }
  if (!command) await locks.release(tx, taker)
  return undefined
}
