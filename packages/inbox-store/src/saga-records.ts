import type { Hash, InboxCommand, KeyValue } from '@parley/ports'
import { encodeBase64url, isMeshError, MeshError } from '@parley/protocol'
import { beginRecord, decodeRecord, encodeRecord, type SagaRecord } from './saga-record.ts'

/** Records of sagas in a store, each changed by conditional writes alone. */
export interface SagaRecords {
  /** The name of a command's saga here: equal for all its keys, and for no other saga. */
  nameOf(command: InboxCommand): string
  /**
   * Changes the record of a command's saga and resolves once that is durable; a change that returns the same record writes
   * nothing. Called again where somebody else wrote meanwhile. Rejects with `saga.command-expired` for a saga that may have
   * been forgotten, and as the store does.
   */
  change<Result>(
    command: InboxCommand,
    change: (record: SagaRecord) => { readonly record: SagaRecord; readonly result: Result },
  ): Promise<Result>
  /** Forgets every saga whose expiry is at or before `nowMs`, and remembers that it did. */
  purge(nowMs: number): Promise<number>
}

/** Others write a saga's record only while they take it over or look it up: more conflicts are a defect. */
const maxConflicts = 32

const horizonKey = 'inbox-horizon'
const prefix = 'inbox/'
const empty = new Uint8Array()

/** Creates records over the key/value part of a store. */
export function createSagaRecords(keyValue: KeyValue, hash: Hash): SagaRecords {
  const nameOf = ({ owner, name, saga }: InboxCommand): string =>
    prefix + encodeBase64url(hash(new TextEncoder().encode(JSON.stringify([owner, name, saga]))))
  const readHorizon = async (): Promise<number> => {
    const entry = await keyValue.get(horizonKey)
    return entry ? Number(new TextDecoder().decode(entry.value)) : Number.NEGATIVE_INFINITY
  }
  const read = async (command: InboxCommand): Promise<{ readonly record?: SagaRecord; readonly revision: number }> => {
    const entry = await keyValue.get(nameOf(command))
    if (entry && entry.value.length > 0) return { record: decodeRecord(entry.value), revision: entry.revision }
    // Read after the record was found missing: a purge writes the horizon before it removes anything.
    if (entry || command.expiresAtMs <= (await readHorizon()))
      throw new MeshError(
        'saga.command-expired',
        `The command ${command.key} of saga ${command.saga} expired at ${command.expiresAtMs}, and what expired then is forgotten here.`,
      )
    return { revision: 0 }
  }
  return {
    nameOf,
    async change(command, change) {
      for (let conflicts = 0; ; conflicts++) {
        const { record: before, revision } = await read(command)
        const { record, result } = change(before ?? beginRecord(command))
        if (record === before) return result
        try {
          await keyValue.put(nameOf(command), encodeRecord(record), revision)
          return result
        } catch (error) {
          if (!isMeshError(error) || error.code !== 'store.revision-conflict' || conflicts >= maxConflicts) throw error
        }
      }
    },
    async purge(nowMs) {
      const untilMs = Math.floor(nowMs)
      if ((await readHorizon()) < untilMs) await keyValue.put(horizonKey, new TextEncoder().encode(`${untilMs}`))
      let count = 0
      for (const { key, value, revision } of await keyValue.list(prefix)) {
        if (value.length > 0 && decodeRecord(value).expiresAtMs > untilMs) continue
        // Marked first: a command that raised the expiry meanwhile wins, one that comes later is refused.
        const isMarked = value.length === 0 || (await tryPut(keyValue, key, revision))
        if (!isMarked) continue
        await keyValue.delete(key)
        count++
      }
      return count
    },
  }
}

async function tryPut(keyValue: KeyValue, key: string, revision: number): Promise<boolean> {
  try {
    await keyValue.put(key, empty, revision)
    return true
  } catch (error) {
    if (isMeshError(error) && error.code === 'store.revision-conflict') return false
    throw error
  }
}
