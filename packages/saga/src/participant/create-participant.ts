import type {
  ContractCapability,
  Declined,
  HandlerRefusal,
  Hop,
  HopCaller,
  LookupAnswer,
  NothingDone,
  SagaCommand,
  ServeFunction,
  UndoableServe,
} from '@parley/mesh'
import type { Clock, Inbox, InboxCommand, InboxOutcome } from '@parley/ports'
import { isMeshError, MeshError } from '@parley/protocol'
import { watchMarks, type MarkedHop } from './watch-marks.ts'

// I1 Inbox row and effect are durable together or not at all.
// I2 A key is done at most once; asked again, the same answer comes again.
// I3 A key that was undone, or whose undo came first, is never done.
// I4 A command of an epoch below the highest seen changes nothing.
// I5 The saga's owner is the verified caller, never what the command says.

/** What a participant needs of its database. */
export interface ParticipantOptions<Tx> {
  readonly inbox: Inbox<Tx>
  /**
   * Runs its argument in a transaction: commits when it resolves; rolls back and rejects with the same error when it
   * rejects. Transactions that share a connection must run one after the other, as those of `withTransaction` do.
   */
  readonly transaction: <T>(run: (tx: Tx) => T | Promise<T>) => Promise<T>
  readonly clock: Clock
}

/** What serves one capability inside the participant's transaction. */
export interface TransactionalServe<Tx, Input, Result, Declared> {
  /** Does it, through `tx` only: a throw, a `hop.fail()` and a `hop.refuse()` roll everything back. */
  readonly do: (
    tx: Tx,
    ...served: Parameters<ServeFunction<Input, Result, Declared>>
  ) => ReturnType<ServeFunction<Input, Result, Declared>>
  /** Takes back what `do` answered with `output`. Not called when there is nothing to take back. */
  readonly undo?: (
    tx: Tx,
    done: { readonly output: unknown },
    hop: Hop,
  ) => ReturnType<NonNullable<UndoableServe<Input, Result, Declared>['undo']>>
}

/** Makes handlers whose effects happen at most once and can be taken back. */
export interface Participant<Tx> {
  /**
   * Turns functions over a transaction into what `node.serve` takes. Calls without a saga run in a transaction, too, without
   * the inbox. Throws `contract.invalid` when the contract promises an undo and there is none.
   */
  serve<Input, Output, Declared, Result>(
    capability: ContractCapability<Input, Output, Declared, Result>,
    serves: TransactionalServe<Tx, Input, Result, Declared>,
  ): UndoableServe<Input, Result, Declared>
}

/** Creates a participant over an inbox and the database that it lives in. */
export function createParticipant<Tx>(options: ParticipantOptions<Tx>): Participant<Tx> {
  const { inbox } = options
  return {
    serve(capability, serves) {
      const { undo } = serves
      if (capability.undo && !undo)
        throw new MeshError('contract.invalid', `the contract promises an undo of ${capability.capability}: serve one`)
      return {
        do: (input, hop) =>
          runCommand(options, hop, async (tx, command, marked) => {
            if (!command) return serves.do(tx, input, marked.hop)
            const verdict = await inbox.begin(tx, command)
            switch (verdict.kind) {
              case 'stale-epoch':
                return hop.refuse('saga.stale-epoch')
              case 'tombstone':
                return hop.refuse('saga.tombstoned')
              case 'known':
                return answerAgain(verdict.outcome, hop)
              case 'new': {
                const result = await serves.do(tx, input, marked.hop)
                const outcome = marked.toOutcome(result)
                if (outcome) await inbox.settle(tx, command, outcome)
                return result
              }
            }
          }),
        ...(undo && {
          undo: (_input, hop) =>
            runCommand(options, hop, async (tx, command, marked) => {
              if (!command) return hop.refuse('saga.command-invalid')
              const verdict = await inbox.undo(tx, command)
              switch (verdict.kind) {
                case 'stale-epoch':
                  return hop.refuse('saga.stale-epoch')
                case 'nothing':
                  return undefined
                case 'undo':
                  // The inbox's own memory of the output, not what the caller says that it was.
                  return undo(tx, { output: JSON.parse(verdict.outcome.output) as unknown }, marked.hop)
              }
            }),
        }),
        lookup: (hop) =>
          runCommand(options, hop, async (tx, command) => {
            if (!command) return hop.refuse('saga.command-invalid')
            const verdict = await inbox.lookup(tx, command)
            switch (verdict.kind) {
              case 'stale-epoch':
                return hop.refuse('saga.stale-epoch')
              case 'tombstone':
                return { found: 'tombstone' } satisfies LookupAnswer
              case 'new':
                return { found: 'absent' } satisfies LookupAnswer
              case 'known':
                return readKnown(verdict.outcome)
            }
          }),
      }
    },
  }
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
 * very error, so the answer is `failed`, nothing done; an error of the transaction itself proves nothing and is thrown on.
 */
async function runCommand<Tx, Answer, Declared>(
  { transaction, clock }: ParticipantOptions<Tx>,
  hop: Hop<Declared>,
  run: (tx: Tx, command: InboxCommand | undefined, marked: MarkedHop<Declared>) => Answer | Promise<Answer>,
): Promise<Answer | NothingDone | HandlerRefusal> {
  const marked = watchMarks(hop)
  const command = hop.saga && toInboxCommand(hop.saga, hop.caller, hop.capability)
  // Past its expiry the memory of a command may be gone: doing it could be the second time.
  if (command && command.expiresAtMs <= clock.now()) return hop.refuse('saga.command-expired')
  let thrown: { readonly error: unknown } | undefined
  try {
    return await transaction(async (tx) => {
      try {
        const answer = await run(tx, command, marked)
        if (marked.saysNothingDone(answer)) throw new RolledBack(answer)
        return answer
      } catch (error) {
        thrown = { error }
        throw error
      }
    })
  } catch (error) {
    if (!thrown || thrown.error !== error) throw error
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

function readKnown(outcome: InboxOutcome): LookupAnswer {
  if (outcome.kind === 'ok') return { found: 'ok', output: JSON.parse(outcome.output) as unknown }
  return { found: 'declined', error: readError(outcome.error) }
}

/** Answers as before. What was remembered is what the handler answered then, so it has the contract's types. */
function answerAgain<Result, Declared>(outcome: InboxOutcome, hop: Hop<Declared>): Result | Declined<Declared> {
  if (outcome.kind === 'ok') return JSON.parse(outcome.output) as Result
  const { name, details } = readError(outcome.error)
  return hop.decline(name as keyof Declared & string, details as Declared[keyof Declared & string])
}

function readError(text: string): { readonly name: string; readonly details: unknown } {
  return JSON.parse(text) as { readonly name: string; readonly details: unknown }
}
