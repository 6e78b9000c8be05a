import type { Inbox, InboxCommand, InboxOutcome, InboxVerdict } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import type { PgTransaction } from './pg-client.ts'
import { isKeyState, readNumber, readText, type KeyState } from './pg-row.ts'

// I1 Everything is keyed by the orchestrator's owner, name and saga: nobody can speak for another's saga.
// I2 The epoch of a saga never falls; a command below it changes nothing.
// I3 A key with a tombstone is never done, and is undone at most once.
// I4 A command that may have been forgotten is never taken for a new one.
// I5 Commands of one saga go one after the other: each takes the saga's row first, and reads only what is there then.

// Locks the row also where the condition does not hold; then it answers no row.
const takeSaga = `
  INSERT INTO parley_inbox_saga AS seen (owner, name, saga, epoch, expires_at_ms) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (owner, name, saga) DO UPDATE
    SET epoch = excluded.epoch, expires_at_ms = greatest(seen.expires_at_ms, excluded.expires_at_ms)
    WHERE seen.epoch <= excluded.epoch
  RETURNING closed, pg_current_xact_id()::text AS xact`

const selectEpoch = 'SELECT epoch FROM parley_inbox_saga WHERE owner = $1 AND name = $2 AND saga = $3'

// A statement of its own after the row is locked, so that it sees what whoever held the lock before left.
const selectKey = `
  SELECT capability, state, body, pg_current_xact_id_if_assigned()::text AS xact,
    (SELECT forgotten_until_ms FROM parley_inbox_horizon) AS horizon
  FROM (VALUES (1)) AS always
  LEFT JOIN parley_inbox_key ON owner = $1 AND name = $2 AND saga = $3 AND key = $4`

const insertKey =
  'INSERT INTO parley_inbox_key (owner, name, saga, key, capability, state, body) VALUES ($1, $2, $3, $4, $5, $6, $7)'

const buryKey = `
  UPDATE parley_inbox_key SET state = 'tombstone', body = '' WHERE owner = $1 AND name = $2 AND saga = $3 AND key = $4`

/** What is known of a command once its saga's row is locked. */
type Known =
  | { readonly kind: 'stale-epoch'; readonly epoch: number }
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly key: KeyState | undefined }

/**
 * Creates an inbox over the tables of `createInboxTables`, beside the participant's effects. The functions throw
 * `saga.command-expired` for a command that `purgePgInbox` may have forgotten, and a `TypeError` outside of a transaction.
 */
export function createPgInbox(): Inbox<PgTransaction> {
  const ask = async (tx: PgTransaction, command: InboxCommand): Promise<InboxVerdict> => {
    const known = await recall(tx, command)
    if (known.kind !== 'open') return known
    if (!known.key) return { kind: 'new' }
    if (known.key.state === 'tombstone') return { kind: 'tombstone' }
    assertSameCapability(known.key, command)
    return { kind: 'known', outcome: toOutcome(known.key.state, known.key.body) }
  }
  return {
    begin: ask,
    lookup: ask,
    async settle(tx, command, outcome) {
      const known = await recall(tx, command)
      assertSettles(known, command)
      const { owner, name, saga, key, capability } = command
      const body = outcome.kind === 'ok' ? outcome.output : outcome.error
      await tx.query(insertKey, [owner, name, saga, key, capability, outcome.kind, body])
    },
    async undo(tx, command) {
      const known = await recall(tx, command)
      if (known.kind !== 'open') return known
      const { owner, name, saga, key, capability } = command
      const { key: before } = known
      if (!before) await tx.query(insertKey, [owner, name, saga, key, capability, 'tombstone', ''])
      else if (before.state !== 'tombstone') {
        assertSameCapability(before, command)
        await tx.query(buryKey, [owner, name, saga, key])
      }
      if (before?.state !== 'ok') return { kind: 'nothing' }
      return { kind: 'undo', outcome: { kind: 'ok', output: before.body } }
    },
    async close(tx, command) {
      const known = await recall(tx, command)
      if (known.kind !== 'open') return known
      const saga = [command.owner, command.name, command.saga]
      await tx.query('DELETE FROM parley_inbox_key WHERE owner = $1 AND name = $2 AND saga = $3', saga)
      await tx.query('UPDATE parley_inbox_saga SET closed = true WHERE owner = $1 AND name = $2 AND saga = $3', saga)
      return { kind: 'closed' }
    },
  }
}

/** Takes the saga's row, raising its epoch, and reads what is known of the key. */
async function recall(tx: PgTransaction, command: InboxCommand): Promise<Known> {
  const { owner, name, saga, key, epoch, expiresAtMs } = command
  assertStorable([owner, name, saga, key])
  const [taken] = (await tx.query(takeSaga, [owner, name, saga, epoch, expiresAtMs])).rows
  const [row] = (await tx.query(selectKey, [owner, name, saga, key])).rows
  if (!row) throw new MeshError('store.corrupt', 'the inbox did not answer; look at its tables')
  if (taken && taken['xact'] !== row['xact'])
    throw new TypeError('The inbox needs an open transaction, for instance of withPgTransaction.')
  assertRemembered(row['horizon'], command)
  if (!taken) {
    const [seen] = (await tx.query(selectEpoch, [owner, name, saga])).rows
    if (!seen) throw new MeshError('store.corrupt', `the inbox lost the saga ${saga} in between`)
    return { kind: 'stale-epoch', epoch: readNumber(seen, 'epoch') }
  }
  if (taken['closed'] === true) return { kind: 'closed' }
  const state = row['state'] === null ? undefined : readText(row, 'state')
  if (state === undefined) return { kind: 'open', key: undefined }
  if (!isKeyState(state))
    throw new MeshError('store.corrupt', `The inbox holds the unknown state ${state}; restore the database.`)
  return { kind: 'open', key: { state, body: readText(row, 'body'), capability: readText(row, 'capability') } }
}

/** PostgreSQL keeps no NUL, and UTF-8 no half of a pair, which would make two keys one. */
function assertStorable(texts: readonly string[]): void {
  const wrong = texts.find((text) => text.includes('\0') || !text.isWellFormed())
  if (wrong !== undefined)
    throw new MeshError('saga.command-invalid', `${JSON.stringify(wrong)} cannot name a saga, a key or an owner here`)
}

function assertSettles(known: Known, command: InboxCommand): void {
  if (known.kind === 'stale-epoch')
    throw new MeshError(
      'saga.stale-epoch',
      `Saga ${command.saga} is at epoch ${known.epoch}, the command has ${command.epoch}; take its effect back.`,
    )
  if (known.kind === 'closed')
    throw new MeshError('saga.command-closed', `Saga ${command.saga} is over; take the effect of its command back.`)
  if (known.key)
    throw new MeshError(
      known.key.state === 'tombstone' ? 'saga.tombstoned' : 'saga.command-invalid',
      `Key ${command.key} of saga ${command.saga} is ${known.key.state} already; settle only what begin called new.`,
    )
}

/** Another capability knows nothing of the effect: its undo would bury the key and leave the effect standing. */
function assertSameCapability({ capability }: KeyState, command: InboxCommand): void {
  if (capability === command.capability) return
  throw new MeshError(
    'saga.command-invalid',
    `Key ${command.key} was used for ${capability} and cannot be used for ${command.capability}; use one key a step.`,
  )
}

function assertRemembered(horizon: unknown, command: InboxCommand): void {
  if (horizon === null || command.expiresAtMs > Number(horizon)) return
  throw new MeshError(
    'saga.command-expired',
    `The command ${command.key} of saga ${command.saga} expired at ${command.expiresAtMs}, and what expired then is forgotten here.`,
  )
}

function toOutcome(state: 'ok' | 'declined', body: string): InboxOutcome {
  return state === 'ok' ? { kind: 'ok', output: body } : { kind: 'declined', error: body }
}
