import type { Hash, Inbox, InboxCommand, InboxVerdict, Store, UndoVerdict } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import { createSagaQueue } from './saga-queue.ts'
import { keyOf, raiseRecord, withKey, type KeyRecord, type SagaRecord } from './saga-record.ts'
import { createSagaRecords } from './saga-records.ts'

// I1 That a key is begun is durable before anything is done for it, so that it is begun at most once.
// I2 What was begun and not settled is in doubt for ever, until somebody finds out: never new, never undone for nothing.
// I3 That a key is undone is durable before its undo runs, and is over only after it: an undo may run twice, none is lost.
// I4 The epoch of a saga never falls, and a command below it begins nothing. What was begun is settled at any epoch.
// I5 In one process commands of one saga go one after the other.

/** The inbox's own transaction: it covers no effect. */
export interface StoreTransaction {
  readonly kind: 'store-transaction'
}

/** An inbox on a store, with the transactions that it runs in. */
export interface StoreInbox {
  readonly inbox: Inbox<StoreTransaction>
  /**
   * Runs its argument; what it settled is durable when this resolves. If it rejects, what it began is taken back: reject only
   * where nothing was done. Rejects with the same error, or as the store does.
   */
  transaction<Result>(run: (tx: StoreTransaction) => Result | Promise<Result>): Promise<Result>
  /**
   * Forgets every saga whose expiry is at or before `nowMs` (milliseconds since the Unix epoch), and remembers that it did:
   * what comes later with such an expiry is refused. Resolves with the number of sagas.
   */
  purge(nowMs: number): Promise<number>
}

/** What a transaction did, and what is left to write when it ends. */
interface Work {
  readonly commits: (() => Promise<void>)[]
  readonly reverts: (() => Promise<void>)[]
  readonly leaves: Map<string, () => void>
}

type Ended = { readonly kind: 'stale-epoch'; readonly epoch: number } | { readonly kind: 'closed' }

/**
 * Opens an inbox for a participant whose effects are outside of any database (`createParticipant` with `effects: 'outside'`).
 * An effect is begun at most once; one whose process died before it was settled is in doubt.
 */
export function openStoreInbox(store: Pick<Store, 'keyValue'>, hash: Hash): StoreInbox {
  const records = createSagaRecords(store.keyValue, hash)
  const queue = createSagaQueue()
  const works = new WeakMap<StoreTransaction, Work>()

  const enter = async (tx: StoreTransaction, command: InboxCommand): Promise<Work> => {
    const work = works.get(tx)
    if (!work) throw new TypeError('The inbox needs an open transaction of its own `transaction`.')
    const saga = records.nameOf(command)
    if (!work.leaves.has(saga)) work.leaves.set(saga, await queue.enter(saga))
    return work
  }
  const write = (command: InboxCommand, change: (record: SagaRecord) => SagaRecord): Promise<void> =>
    records.change(command, (record) => ({ record: change(record), result: undefined }))
  /** Raises the epoch and tells why the command counts no more, or what `decide` makes of it. */
  const ask = <Verdict>(
    command: InboxCommand,
    decide: (known: KeyRecord | undefined) => { readonly verdict: Verdict; readonly key?: KeyRecord },
  ): Promise<Verdict | Ended> =>
    records.change<Verdict | Ended>(command, (before) => {
      if (command.epoch < before.epoch) return { record: before, result: { kind: 'stale-epoch', epoch: before.epoch } }
      const record = raiseRecord(before, command)
      if (record.closed) return { record, result: { kind: 'closed' } }
      const known = keyOf(record, command.key)
      const { verdict, key } = decide(known)
      return { record: key ? withKey(record, command.key, key) : record, result: verdict }
    })

  const inbox: Inbox<StoreTransaction> = {
    async begin(tx, command) {
      const work = await enter(tx, command)
      const { capability, key } = command
      const verdict = await ask<InboxVerdict>(command, (known) =>
        known
          ? { verdict: readVerdict(known, command) }
          : { verdict: { kind: 'new' }, key: { capability, state: 'begun', body: '' } },
      )
      if (verdict.kind === 'new')
        work.reverts.push(() =>
          write(command, (record) =>
            keyOf(record, key)?.state === 'begun' ? withKey(record, key, undefined) : record,
          ),
        )
      return verdict
    },
    async settle(tx, command, outcome) {
      const work = await enter(tx, command)
      const { capability, key } = command
      const body = outcome.kind === 'ok' ? outcome.output : outcome.error
      const settle = (record: SagaRecord): SagaRecord => {
        assertSettles(record, command)
        return withKey(record, key, { capability, state: outcome.kind, body })
      }
      // Looked at now, so that a caller who may not settle hears of it; written when the transaction ends.
      await records.change(command, (record) => {
        assertSettles(record, command)
        return { record: raiseRecord(record, command), result: undefined }
      })
      work.commits.push(() => write(command, settle))
    },
    async undo(tx, command) {
      const work = await enter(tx, command)
      const { capability, key } = command
      const verdict = await ask<UndoVerdict>(command, (known) => {
        if (!known || known.state === 'tombstone' || known.state === 'declined') return { verdict: { kind: 'nothing' } }
        assertSameCapability(known, command)
        const isKnown = known.body !== ''
        return {
          verdict: isKnown ? { kind: 'undo', outcome: { kind: 'ok', output: known.body } } : { kind: 'in-doubt' },
          key: { capability, state: 'undoing', body: known.body },
        }
      })
      if (verdict.kind === 'stale-epoch' || verdict.kind === 'closed') return verdict
      work.commits.push(() =>
        write(command, (record) => withKey(record, key, { capability, state: 'tombstone', body: '' })),
      )
      return verdict
    },
    async lookup(tx, command) {
      await enter(tx, command)
      return ask<InboxVerdict>(command, (known) => ({ verdict: known ? readVerdict(known, command) : { kind: 'new' } }))
    },
    async close(tx, command) {
      const work = await enter(tx, command)
      const verdict = await ask(command, () => ({ verdict: { kind: 'closed' } as const }))
      if (verdict.kind === 'closed')
        work.commits.push(() => write(command, (record) => ({ ...record, closed: true, keys: {} })))
      return verdict
    },
  }

  return {
    inbox,
    async transaction(run) {
      const tx: StoreTransaction = { kind: 'store-transaction' }
      const work: Work = { commits: [], reverts: [], leaves: new Map() }
      works.set(tx, work)
      try {
        const result = await runOrRevert(() => run(tx), work)
        for (const commit of work.commits) await commit()
        return result
      } finally {
        works.delete(tx)
        for (const leave of work.leaves.values()) leave()
      }
    },
    purge: records.purge,
  }
}

/** What cannot be taken back stays begun, which is in doubt: nothing is done twice for it. */
async function runOrRevert<Result>(run: () => Result | Promise<Result>, { reverts }: Work): Promise<Result> {
  try {
    return await run()
  } catch (error) {
    const reverted = await Promise.allSettled(reverts.map((revert) => revert()))
    if (reverted.some(({ status }) => status === 'rejected') && error instanceof Error && error.cause === undefined)
      error.cause = reverted.find((one) => one.status === 'rejected')?.reason
    throw error
  }
}

function readVerdict(known: KeyRecord, command: InboxCommand): InboxVerdict {
  if (known.state === 'tombstone' || known.state === 'undoing') return { kind: 'tombstone' }
  assertSameCapability(known, command)
  switch (known.state) {
    case 'begun':
      return { kind: 'in-doubt' }
    case 'ok':
      return { kind: 'known', outcome: { kind: 'ok', output: known.body } }
    case 'declined':
      return { kind: 'known', outcome: { kind: 'declined', error: known.body } }
  }
}

function assertSettles(record: SagaRecord, command: InboxCommand): void {
  const { saga, key, epoch } = command
  if (record.closed)
    throw new MeshError('saga.command-closed', `Saga ${saga} is over; what became of ${key} is not kept.`)
  const known = keyOf(record, key)
  if (known?.state === 'begun') return
  if (!known && epoch < record.epoch)
    throw new MeshError('saga.stale-epoch', `Saga ${saga} is at epoch ${record.epoch}, the command has ${epoch}.`)
  if (known)
    throw new MeshError(
      known.state === 'tombstone' || known.state === 'undoing' ? 'saga.tombstoned' : 'saga.command-invalid',
      `Key ${key} of saga ${saga} is ${known.state} already; settle only what begin called new.`,
    )
}

/** Another capability knows nothing of the effect: its undo would bury the key and leave the effect standing. */
function assertSameCapability({ capability }: KeyRecord, command: InboxCommand): void {
  if (capability === command.capability) return
  throw new MeshError(
    'saga.command-invalid',
    `Key ${command.key} was used for ${capability} and cannot be used for ${command.capability}; use one key a step.`,
  )
}
