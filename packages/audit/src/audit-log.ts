import { systemHash, type CancelTimer, type Clock, type Hash, type Signer, type Store } from '@parley/ports'
import { encodeBase64url, hashMerkleLeaf, isMeshError, MeshError, type SignatureCheck } from '@parley/protocol'
import { formatAuditLine } from './audit-line.ts'
import { formatAuditRecord, parseAuditRecord, type AuditFields, type AuditRecord } from './audit-record.ts'
import { readAuditTail, type AuditTail } from './audit-tail.ts'
import { decodeBase64url, encodeBase64 } from './base64.ts'
import { isOrigin, signCheckpoint, type Checkpoint, type Head } from './checkpoint.ts'
import { createCommitQueue } from './commit-queue.ts'
import { createLineWriter, encodeLines, joinLines, type LineBytes } from './line-writer.ts'

/** What a log is opened with. */
export interface AuditLogOptions {
  readonly store: Store
  readonly clock: Clock
  /** Signs the checkpoints. An instance that starts anew brings a new key; its `opened` record names it. */
  readonly signer: Signer
  /** Names the log in its checkpoints, for ever: one word without `+`, for instance `parley/demo/acme/flights`. */
  readonly origin: string
  readonly hash?: Hash
  /** Stream of the store's journal; default `audit`. */
  readonly stream?: string
  /** The mesh; written to every record. */
  readonly tenant?: string
  /** Verifies the last checkpoint's signature before the log goes on. */
  readonly verify?: SignatureCheck
  /** Records that may wait for the store, or for a checkpoint, before `append` refuses; default 10,000. */
  readonly maxUnwritten?: number
  /** Sees every record as a listener of `onAppend` does, those of the opening included. */
  readonly onAppend?: (record: AuditRecord) => void
}

/** Proves that a record has its place in the log. It is durable after the next `flush`. */
export interface AuditReceipt {
  readonly seq: number
  /** Leaf hash of the record, in base64url. */
  readonly leaf: string
}

/**
 * An append-only log of this node.
 *
 * I1. The log has one order: records of `seq` 1, 2, 3, ..., each with the leaf hash of the one before.
 * I2. No record is dropped: one that cannot be taken throws, and a writer that ended without `close` is told at the next
 *     open by a `gap` record.
 * I3. A checkpoint follows the records that it covers, at most a second or 1,000 records after the one before while there
 *     are new ones. One that cannot be signed comes later; `append` refuses above `maxUnwritten` uncovered records.
 * I4. Memory does not grow with the log.
 */
export interface AuditLog extends AsyncDisposable {
  readonly origin: string
  /** Number of records, durable or not. */
  size(): number
  /**
   * Takes a record, in memory: durable within 50 ms if the store is well. Throws `hop.unrecorded` when the log is closed,
   * broken or full, `audit.record-invalid` for fields that a record cannot hold.
   */
  append(fields: AuditFields): AuditReceipt
  /** Tells whether `append` would take a record now: ask before doing what has to be recorded. */
  canAppend(): boolean
  /** Calls `listener` with every later record, in order, at the end of the turn that appended it. Returns its removal. */
  onAppend(listener: (record: AuditRecord) => void): () => void
  /** Resolves when everything appended so far is durable; rejects with what the store said. */
  flush(): Promise<void>
  /** Signs the head and resolves when it is durable. Answers the last checkpoint when it covers everything already. */
  checkpoint(): Promise<Checkpoint>
  /**
   * Writes a `closed` record and a last checkpoint, and stops. Calling it twice does nothing. Rejects where either cannot be,
   * with as much durable as the store took.
   */
  close(): Promise<void>
}

const maxUncheckedRecords = 1_000
const checkpointIntervalMs = 1_000
const defaultMaxUnwritten = 10_000

interface PendingHead {
  readonly head: Head
  readonly nodes: readonly Uint8Array[]
  signed?: Checkpoint
  failure?: unknown
}

/**
 * Opens the log of a stream, new or to be continued, and makes an `opened` record and a checkpoint durable. Rejects with
 * `audit.*` if the stored tail does not hold, `mesh.config-invalid` for an unusable origin, or what store and signer
 * reject with.
 */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const { store, signer, origin, hash = systemHash, stream = 'audit', verify } = options
  if (!isOrigin(origin)) {
    throw new MeshError('mesh.config-invalid', `${JSON.stringify(origin)} cannot name an audit log: one word without +`)
  }
  const tail = await readAuditTail({ journal: store.journal, stream, origin, hash, verify })
  const log = createAuditLog({ ...options, hash, stream }, tail)
  const isNew = tail.frontier.size() === 0
  const isClean = isNew || tail.isClosed
  if (!isClean) log.append({ kind: 'gap', reason: 'unclean-close', afterSeq: tail.frontier.size(), lost: 'unknown' })
  log.append({ kind: 'lifecycle', event: 'opened', instance: signer.did, isNew, isClean })
  await log.checkpoint()
  return log
}

function createAuditLog(options: AuditLogOptions & { hash: Hash; stream: string }, tail: AuditTail): AuditLog {
  const { store, clock, signer, origin, hash, stream, tenant, maxUnwritten = defaultMaxUnwritten } = options
  const { frontier } = tail
  const listeners = new Set(options.onAppend ? [options.onAppend] : [])
  let last = tail.last
  let headSize = tail.checkpoint?.size ?? 0
  let signed = tail.checkpoint
  let cancelCheckpoint: CancelTimer | undefined
  let closing: Promise<void> | undefined

  const lines = createLineWriter()
  const encode = async (items: readonly (LineBytes | PendingHead)[]): Promise<Uint8Array> => {
    const written: LineBytes[] = []
    for (const item of items) written.push('head' in item ? encodeLines(await encodeHead(item)) : item)
    return joinLines(written)
  }
  const tell = (text: string): void => {
    const record = parseAuditRecord(text)
    if (record) for (const listener of listeners) listener(record)
  }
  // Records are never held up by a signer that fails: the checkpoint is left out here and made up for a second later.
  const encodeHead = async (item: PendingHead): Promise<string[]> => {
    try {
      item.signed ??= await signCheckpoint(item.head, signer, hash)
    } catch (error) {
      item.failure = error
      armCheckpoint()
      return []
    }
    signed = item.signed
    const nodes = item.nodes.map(encodeBase64)
    return [
      formatAuditLine({ kind: 'checkpoint', note: signed.note, did: signed.did }),
      formatAuditLine({ kind: 'frontier', nodes }),
    ]
  }
  const queue = createCommitQueue({ clock, journal: store.journal, stream, position: tail.position, encode })

  const pushHead = (): PendingHead => {
    cancelCheckpoint?.()
    cancelCheckpoint = undefined
    headSize = frontier.size()
    const head = {
      origin,
      size: frontier.size(),
      root: frontier.root(),
      last: decodeBase64url(last) ?? new Uint8Array(32),
    }
    const item: PendingHead = { head, nodes: frontier.nodes() }
    queue.push(item)
    return item
  }
  const armCheckpoint = (): void => {
    cancelCheckpoint ??= clock.setTimer(pushHead, checkpointIntervalMs)
  }
  const assertWritable = (): void => {
    const unsigned = frontier.size() - (signed?.size ?? 0)
    const failure = queue.failure()
    if (failure) throw unrecorded('it is broken', failure)
    if (queue.length() >= maxUnwritten) throw unrecorded(`${queue.length()} records wait for the store`)
    if (unsigned >= maxUnwritten) throw unrecorded(`${unsigned} records wait for a checkpoint`)
  }
  const append = (fields: AuditFields): AuditReceipt => {
    assertWritable()
    const head = { seq: frontier.size() + 1, prev: last, atMs: clock.now() }
    const text = formatAuditRecord(head, fields, tenant)
    const line = lines.write(text)
    const leaf = hashMerkleLeaf(hash, line.text)
    last = encodeBase64url(leaf)
    lines.close(line, last)
    frontier.append(leaf)
    queue.push(line)
    if (frontier.size() - headSize >= maxUncheckedRecords) pushHead()
    else armCheckpoint()
    if (listeners.size > 0) clock.defer(() => tell(text))
    return { seq: head.seq, leaf: last }
  }
  const checkpoint = async (): Promise<Checkpoint> => {
    const item = signed?.size === frontier.size() ? undefined : pushHead()
    await queue.flush()
    if (item && !item.signed) throw item.failure
    if (!signed) throw unrecorded('it has no checkpoint')
    return item?.signed ?? signed
  }
  const close = async (): Promise<void> => {
    try {
      append({ kind: 'lifecycle', event: 'closed', instance: signer.did })
      await checkpoint()
    } finally {
      cancelCheckpoint?.()
      // A log that is too full for its last record keeps what it took all the same; what hinders that has been thrown already.
      await Promise.allSettled([queue.flush()])
      queue.stop()
    }
  }

  return {
    origin,
    size: frontier.size,
    append(fields) {
      if (closing) throw unrecorded('it is closed')
      return append(fields)
    },
    canAppend() {
      if (closing) return false
      try {
        assertWritable()
        return true
      } catch (error) {
        if (isMeshError(error)) return false
        throw error
      }
    },
    onAppend(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    flush: () => queue.flush(),
    checkpoint,
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  }
}

function unrecorded(why: string, cause?: unknown): MeshError {
  return new MeshError('hop.unrecorded', `The audit log takes no record: ${why}.`, { cause })
}
