import type { HandlerRefusal, Hop, HopCaller, NothingDone, SagaCommand } from '@parley/mesh'
import type { InboxCommand } from '@parley/ports'
import { isMeshError } from '@parley/protocol'
import type { ParticipantOptions } from './participant.ts'
import { watchMarks, type MarkedHop } from './watch-marks.ts'

/** One command inside its transaction. */
export interface CommandRun<Tx, Declared> {
  readonly tx: Tx
  /** Absent for a call without a saga. */
  readonly command: InboxCommand | undefined
  readonly marked: MarkedHop<Declared>
  /** Something is done from here on that only the transaction can take back. */
  enter(): void
}

/** Carries an answer out of a transaction that must not be committed. */
class RolledBack extends Error {
  readonly answer: NothingDone | HandlerRefusal

  constructor(answer: NothingDone | HandlerRefusal) {
    super('rolled back')
    this.answer = answer
  }
}

/**
 * Runs a command in one transaction. What `run` threw is known to be rolled back once the transaction rejects with that
 * very error, so the answer is `failed`, nothing done; an error of the transaction itself proves nothing and is thrown on,
 * unless it could not begin. With effects outside no transaction takes back what a throw left: that is thrown on, too, and
 * what the inbox noted before stays.
 */
export async function runCommand<Tx, Answer, Declared>(
  { transaction, clock, effects = 'inside' }: ParticipantOptions<Tx>,
  hop: Hop<Declared>,
  run: (command: CommandRun<Tx, Declared>) => Answer | Promise<Answer>,
): Promise<Answer | NothingDone | HandlerRefusal> {
  const marked = watchMarks(hop)
  const command = hop.saga && toInboxCommand(hop.saga, hop.caller, hop.capability)
  // Past its expiry the memory of a command may be gone: doing it could be the second time.
  if (command && command.expiresAtMs <= clock.now()) return hop.refuse('saga.command-expired')
  let thrown: { readonly error: unknown } | undefined
  let ran = false
  try {
    const end = await transaction(async (tx): Promise<{ readonly answer: Answer } | { readonly lost: unknown }> => {
      let entered = false
      ran = true
      thrown = undefined
      try {
        const enter = (): void => {
          entered = true
        }
        const answer = await run({ tx, command, marked, enter })
        if (marked.saysNothingDone(answer)) throw new RolledBack(answer)
        return { answer }
      } catch (error) {
        if (effects === 'outside' && entered && !(error instanceof RolledBack)) return { lost: error }
        thrown = { error }
        throw error
      }
    })
    if ('lost' in end) throw end.lost
    return end.answer
  } catch (error) {
    if (!thrown || thrown.error !== error) {
      if (!ran && isMeshError(error) && error.code === 'store.unavailable') return hop.fail({ retryable: true })
      throw error
    }
    if (error instanceof RolledBack) return error.answer
    if (isMeshError(error) && error.code.startsWith('saga.')) return hop.refuse(error.code)
    return hop.fail({ retryable: true })
  }
}

function toInboxCommand(saga: SagaCommand, caller: HopCaller, capability: string): InboxCommand {
  return {
    owner: caller.owner,
    name: caller.name,
    saga: saga.id,
    key: saga.key,
    capability,
    epoch: saga.epoch,
    expiresAtMs: saga.expiresAtMs,
  }
}
