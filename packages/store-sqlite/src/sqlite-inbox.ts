import type { DatabaseSync } from 'node:sqlite'
import type { CloseVerdict, Inbox, InboxCommand, InboxOutcome, InboxVerdict, UndoVerdict } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import { createInboxTables, prepareInboxStatements, type InboxStatements } from './inbox-tables.ts'
import { readNumber, readText } from './sqlite-row.ts'

// I1 Everything is keyed by the orchestrator's owner, name and saga: nobody can speak for another's saga.
// I2 The epoch of a saga never falls; a command below it changes nothing.
// I3 A key with a tombstone is never done, and is undone at most once.
// I4 A command that may have been forgotten is never taken for a new one.

/** An inbox whose functions answer at once, inside the transaction of their first argument. */
export interface SqliteInbox extends Inbox<DatabaseSync> {
  begin(tx: DatabaseSync, command: InboxCommand): InboxVerdict
  settle(tx: DatabaseSync, command: InboxCommand, outcome: InboxOutcome): void
  undo(tx: DatabaseSync, command: InboxCommand): UndoVerdict
  lookup(tx: DatabaseSync, command: InboxCommand): InboxVerdict
  close(tx: DatabaseSync, command: InboxCommand): CloseVerdict
}

/** Why a command counts no more, whatever its key. */
type Ended = { readonly kind: 'stale-epoch'; readonly epoch: number } | { readonly kind: 'closed' }

interface KeyState {
  readonly state: 'ok' | 'declined' | 'tombstone'
  /** The JSON text that was answered; empty for a tombstone. */
  readonly body: string
  readonly capability: string
}

/**
 * Keeps a participant's memory of commands in the participant's own database, beside its effects. Creates its tables
 * (`parley_*`) if they are not there. The functions throw `saga.command-expired` for a command that
 * `purgeSqliteInbox` may have forgotten, and a `TypeError` outside of a transaction.
 */
export function openSqliteInbox(db: DatabaseSync): SqliteInbox {
  createInboxTables(db)
  const prepared = new WeakMap<DatabaseSync, InboxStatements>()
  const statementsOf = (tx: DatabaseSync): InboxStatements => {
    assertInTransaction(tx)
    const statements = prepared.get(tx) ?? prepareInboxStatements(tx)
    prepared.set(tx, statements)
    return statements
  }
  /** Raises the epoch; returns why the command counts no more, if it does not. */
  const findEnd = (statements: InboxStatements, command: InboxCommand): Ended | undefined => {
    assertRemembered(statements, command)
    const { owner, name, saga, epoch, expiresAtMs } = command
    const row = statements.selectSaga.get(owner, name, saga)
    const seen = row ? readNumber(row, 'epoch') : 0
    if (epoch < seen) return { kind: 'stale-epoch', epoch: seen }
    statements.upsertSaga.run(owner, name, saga, epoch, expiresAtMs)
    return row && readNumber(row, 'closed') === 1 ? { kind: 'closed' } : undefined
  }
  const readKey = (statements: InboxStatements, { owner, name, saga, key }: InboxCommand): KeyState | undefined => {
    const row = statements.selectKey.get(owner, name, saga, key)
    return row && parseKeyState(readText(row, 'state'), readText(row, 'body'), readText(row, 'capability'))
  }
  const ask = (tx: DatabaseSync, command: InboxCommand): InboxVerdict => {
    const statements = statementsOf(tx)
    const end = findEnd(statements, command)
    if (end) return end
    const known = readKey(statements, command)
    if (!known) return { kind: 'new' }
    if (known.state === 'tombstone') return { kind: 'tombstone' }
    assertSameCapability(known, command)
    return { kind: 'known', outcome: toOutcome(known.state, known.body) }
  }
  return {
    begin: ask,
    lookup: ask,
    settle(tx, command, outcome) {
      const statements = statementsOf(tx)
      const end = findEnd(statements, command)
      if (end) throw toError(end, command)
      const known = readKey(statements, command)
      if (known)
        throw new MeshError(
          known.state === 'tombstone' ? 'saga.tombstoned' : 'saga.command-invalid',
          `Key ${command.key} of saga ${command.saga} is ${known.state} already; settle only what begin called new.`,
        )
      const { owner, name, saga, key, capability } = command
      const body = outcome.kind === 'ok' ? outcome.output : outcome.error
      statements.insertKey.run(owner, name, saga, key, capability, outcome.kind, body)
    },
    undo(tx, command) {
      const statements = statementsOf(tx)
      const end = findEnd(statements, command)
      if (end) return end
      const { owner, name, saga, key, capability } = command
      const known = readKey(statements, command)
      if (!known) statements.insertKey.run(owner, name, saga, key, capability, 'tombstone', '')
      else if (known.state !== 'tombstone') {
        assertSameCapability(known, command)
        statements.buryKey.run(owner, name, saga, key)
      }
      if (known?.state !== 'ok') return { kind: 'nothing' }
      return { kind: 'undo', outcome: { kind: 'ok', output: known.body } }
    },
    close(tx, command) {
      const statements = statementsOf(tx)
      const end = findEnd(statements, command)
      if (end) return end
      const { owner, name, saga } = command
      statements.deleteKeys.run(owner, name, saga)
      statements.closeSaga.run(owner, name, saga)
      return { kind: 'closed' }
    },
  }
}

function toError(end: Ended, command: InboxCommand): MeshError {
  if (end.kind === 'closed')
    return new MeshError('saga.command-closed', `Saga ${command.saga} is over; take the effect of its command back.`)
  return new MeshError(
    'saga.stale-epoch',
    `Saga ${command.saga} is at epoch ${end.epoch}, the command has ${command.epoch}; take its effect back.`,
  )
}

function assertInTransaction(tx: DatabaseSync): void {
  // Node before 22.16 cannot tell.
  const told: boolean | undefined = tx.isTransaction
  if (told === false) throw new TypeError('The inbox needs an open transaction, for instance of withTransaction.')
}

/** Another capability knows nothing of the effect: its undo would bury the key and leave the effect standing. */
function assertSameCapability({ capability }: KeyState, command: InboxCommand): void {
  if (capability === command.capability) return
  throw new MeshError(
    'saga.command-invalid',
    `Key ${command.key} was used for ${capability} and cannot be used for ${command.capability}; use one key a step.`,
  )
}

function assertRemembered(statements: InboxStatements, command: InboxCommand): void {
  const row = statements.selectHorizon.get()
  if (!row || command.expiresAtMs > readNumber(row, 'forgotten_until_ms')) return
  throw new MeshError(
    'saga.command-expired',
    `The command ${command.key} of saga ${command.saga} expired at ${command.expiresAtMs}, and what expired then is forgotten here.`,
  )
}

function parseKeyState(state: string, body: string, capability: string): KeyState {
  if (state === 'ok' || state === 'declined' || state === 'tombstone') return { state, body, capability }
  throw new MeshError('store.corrupt', `The inbox holds the unknown state ${state}; restore the database.`)
}

function toOutcome(state: 'ok' | 'declined', body: string): InboxOutcome {
  return state === 'ok' ? { kind: 'ok', output: body } : { kind: 'declined', error: body }
}
