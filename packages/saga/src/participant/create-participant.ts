import type { HandlerReturn, LookupAnswer, UndoableServe } from '@parley/mesh'
import { MeshError } from '@parley/protocol'
import { answerAgain, readKnown, toInboxOutcome } from './known-outcome.ts'
import type { Participant, ParticipantOptions, TransactionalServe } from './participant.ts'
import { runCommand } from './run-command.ts'
import { findHolder } from './find-holder.ts'

// I1 Inbox row and effect are durable together or not at all, where the effects are inside.
// I2 A key is done at most once; asked again, the same answer comes again.
// I3 A key that was undone, or whose undo came first, is never done.
// I4 A command of an epoch below the highest seen changes nothing.
// I5 The saga's owner is the verified caller, never what the command says.
// I6 What another saga locked is not touched, and a lock is taken and given back with the effect.

/** Creates a participant over an inbox and the database that it lives in. */
export function createParticipant<Tx>(
  options: ParticipantOptions<Tx> & { readonly effects: 'outside' },
): Participant<Tx, undefined>
export function createParticipant<Tx>(
  options: ParticipantOptions<Tx> & { readonly effects?: 'inside' },
): Participant<Tx>
export function createParticipant<Tx>(options: ParticipantOptions<Tx>): Participant<Tx, undefined> {
  return {
    serve(capability, serves) {
      const { undo, lock } = serves
      if (capability.undo && !undo)
        throw new MeshError('contract.invalid', `the contract promises an undo of ${capability.capability}: serve one`)
      if (lock && !options.locks)
        throw new MeshError('contract.invalid', `${capability.capability} locks a target: give its participant locks`)
      return {
        do: serveDo(options, serves),
        ...(undo && { undo: serveUndo(options, undo) }),
        lookup: serveLookup(options, serves),
        close: serveClose(options),
      }
    },
  }
}

function serveDo<Tx, Input, Result, Declared>(
  options: ParticipantOptions<Tx>,
  serves: TransactionalServe<Tx, Input, Result, Declared, undefined>,
): UndoableServe<Input, Result, Declared>['do'] {
  const { inbox, locks } = options
  return (input, hop) =>
    runCommand(options, hop, async ({ tx, command, marked, enter }): Promise<HandlerReturn<Result, Declared>> => {
      if (command) {
        const verdict = await inbox.begin(tx, command)
        switch (verdict.kind) {
          case 'stale-epoch':
            return hop.refuse('saga.stale-epoch')
          case 'closed':
            return hop.refuse('saga.command-closed')
          case 'tombstone':
            return hop.refuse('saga.tombstoned')
          case 'known':
            return answerAgain(verdict.outcome, hop)
          case 'in-doubt': {
            const found = await serves.find?.(hop)
            if (!found) return hop.refuse('saga.outcome-unknown')
            if (found.found === 'absent') break
            const known = toInboxOutcome(found)
            await inbox.settle(tx, command, known)
            return answerAgain(known, hop)
          }
          case 'new':
        }
      }
      const target = serves.lock?.(input)
      const holder =
        target === undefined ? undefined : await findHolder(options, tx, hop, command, target, serves.lockMs)
      if (holder) return marked.hop.refuse('saga.locked', holder)
      enter()
      const result = await serves.do(tx, input, marked.hop)
      const outcome = command && marked.toOutcome(result)
      if (!outcome) return result
      await inbox.settle(tx, command, outcome)
      if (outcome.kind === 'declined') await locks?.release(tx, command)
      return result
    })
}

function serveUndo<Tx, Input, Result, Declared>(
  options: ParticipantOptions<Tx>,
  undo: NonNullable<TransactionalServe<Tx, Input, Result, Declared, undefined>['undo']>,
): NonNullable<UndoableServe<Input, Result, Declared>['undo']> {
  const { inbox, locks } = options
  return (_input, hop) =>
    runCommand(options, hop, async ({ tx, command, marked, enter }) => {
      if (!command) return hop.refuse('saga.command-invalid')
      const verdict = await inbox.undo(tx, command)
      if (verdict.kind === 'stale-epoch') return hop.refuse('saga.stale-epoch')
      if (verdict.kind === 'closed') return hop.refuse('saga.command-closed')
      await locks?.release(tx, command)
      if (verdict.kind === 'nothing') return undefined
      enter()
      // The inbox's own memory of what the handler answered then, not what the caller says that it was.
      const output = verdict.kind === 'undo' ? (JSON.parse(verdict.outcome.output) as Result) : undefined
      return undo(tx, { output }, marked.hop)
    })
}

function serveLookup<Tx, Input, Result, Declared>(
  options: ParticipantOptions<Tx>,
  { find }: TransactionalServe<Tx, Input, Result, Declared, undefined>,
): NonNullable<UndoableServe<Input, Result, Declared>['lookup']> {
  const { inbox } = options
  return (hop) =>
    runCommand(options, hop, async ({ tx, command }) => {
      if (!command) return hop.refuse('saga.command-invalid')
      const verdict = await inbox.lookup(tx, command)
      switch (verdict.kind) {
        case 'stale-epoch':
          return hop.refuse('saga.stale-epoch')
        case 'closed':
          return hop.refuse('saga.command-closed')
        case 'tombstone':
          return { found: 'tombstone' } satisfies LookupAnswer
        case 'new':
          return { found: 'absent' } satisfies LookupAnswer
        case 'known':
          return readKnown(verdict.outcome)
        case 'in-doubt': {
          const found = await find?.(hop)
          if (!found) return hop.refuse('saga.outcome-unknown')
          if (found.found !== 'absent') await inbox.settle(tx, command, toInboxOutcome(found))
          return found
        }
      }
    })
}

/** The saga is over: its rows are forgotten, its locks are free, and what comes late is refused. */
function serveClose<Tx>(
  options: ParticipantOptions<Tx>,
): NonNullable<UndoableServe<unknown, unknown, unknown>['close']> {
  const { inbox, locks } = options
  return (hop) =>
    runCommand(options, hop, async ({ tx, command }) => {
      if (!command) return hop.refuse('saga.command-invalid')
      const verdict = await inbox.close(tx, command)
      if (verdict.kind === 'stale-epoch') return hop.refuse('saga.stale-epoch')
      await locks?.releaseSaga(tx, command)
      return undefined
    })
}
