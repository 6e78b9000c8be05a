import type { KeyValue, KeyValueEntry } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import type { ConditionalWriter } from './conditional-writer.ts'
import { parseWhole } from './entry-frame.ts'
import type { LeaderReader, StoredMessage } from './leader-reader.ts'
import { formatStoreSubject } from './store-subject.ts'

// I1 The revision of a key is counted in a header: it starts at 1 and grows by 1, and starts again after a deletion or in a
//    bucket that was made anew. It orders writes of a key; it is never a fence (T47).
// I2 The mark of a deletion takes the values before it along: when it goes, none of them may come back.

/** How often a key was written since it was made. */
export const revisionHeader = 'Parley-Revision'

/** The mark of a deleted key, as NATS tools write and read it (ADR-8 of NATS). */
const operationHeader = 'KV-Operation'

/** Marks of deleted keys go after this time, where the broker can, so that a listing need not read them. */
const markLife = '1m'

/** What the keys of a store stand on. */
export interface KeyValueSetup {
  readonly root: string
  readonly reader: LeaderReader
  readonly writer: ConditionalWriter
  /** Whether the broker lets single messages expire (T14). */
  readonly expiresMessages: boolean
}

interface KeyHead {
  /** Of the newest message, a deletion too; 0 if there is none. */
  readonly sequence: number
  readonly entry: KeyValueEntry | undefined
}

const readsAtOnce = 32

/** Creates the key/value part of a store. */
export function createNatsKeyValue({ root, reader, writer, expiresMessages }: KeyValueSetup): KeyValue {
  const readHead = async (key: string): Promise<KeyHead> => {
    const message = await reader.last(formatStoreSubject(root, key))
    return { sequence: message?.sequence ?? 0, entry: message && readEntry(key, message) }
  }
  return {
    async get(key) {
      return (await readHead(key)).entry
    },
    async put(key, value, expectedRevision) {
      const subject = formatStoreSubject(root, key)
      const data = new Uint8Array(value)
      for (;;) {
        const { sequence, entry } = await readHead(key)
        const revision = entry?.revision ?? 0
        if (expectedRevision !== undefined && expectedRevision !== revision)
          throw new MeshError(
            'store.revision-conflict',
            `Key ${key} has revision ${revision}, the writer expected ${expectedRevision}; read again before writing.`,
            { details: { key, revision, expectedRevision } },
          )
        const headers = { [revisionHeader]: String(revision + 1) }
        const outcome = await writer.write(subject, sequence, { headers, data })
        if (outcome.kind === 'stored') return revision + 1
      }
    },
    async delete(key) {
      const subject = formatStoreSubject(root, key)
      const rollup = { [operationHeader]: 'PURGE', 'Nats-Rollup': 'sub' }
      const headers = expiresMessages ? { ...rollup, 'Nats-TTL': markLife } : rollup
      for (;;) {
        const { sequence, entry } = await readHead(key)
        if (!entry) return
        const outcome = await writer.write(subject, sequence, { headers, data: new Uint8Array(0) })
        if (outcome.kind === 'stored') return
      }
    },
    async list(prefix) {
      const names = await reader.names(prefix)
      const entries: KeyValueEntry[] = []
      for (let from = 0; from < names.length; from += readsAtOnce) {
        const heads = await Promise.all(names.slice(from, from + readsAtOnce).map(readHead))
        for (const { entry } of heads) if (entry) entries.push(entry)
      }
      return entries
    },
  }
}

function readEntry(key: string, { header, data }: StoredMessage): KeyValueEntry | undefined {
  if (header(operationHeader) !== '') return undefined
  const revision = parseWhole(header(revisionHeader))
  if (revision >= 1) return { key, value: data, revision }
  throw new MeshError('store.corrupt', `Key ${key} was written by something else: it carries no revision.`, {
    details: { key },
  })
}
