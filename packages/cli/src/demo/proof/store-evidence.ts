import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { verifySignature } from '@parley/identity'
import { exportAudit, readAuditLine, type AuditRecord } from '@parley/audit'
import { createManualClock, type Store } from '@parley/ports'
import { peekEvent, type SagaEvent } from '@parley/saga'
import { openSqliteStore } from '@parley/store-sqlite'
import { openTrustLedger, type TrustView } from '@parley/trust'
import type { AgentProcess } from '../agent-process.ts'

/** What an agent's store holds on disk, read without asking the agent. */
export interface StoreEvidence {
  /** The audit log as `exportAudit` writes it. */
  readonly exported: string
  readonly records: readonly AuditRecord[]
  /** The journals of its sagas, by id. */
  readonly sagas: ReadonlyMap<string, readonly SagaEvent[]>
  /** Folds the trust ledger for a peer, as of one fixed moment, so that two readings compare. */
  trustIn(peer: string): TrustView
}

/** Log and ledger are on disk within 50 ms of what they tell of. */
const writeDelayMs = 100
const patienceMs = 5_000
const ledgerAtMs = Date.now()

/** Reads the store of an agent once it holds every record that the agent told of so far. */
export async function readStoreEvidence(agent: AgentProcess): Promise<StoreEvidence> {
  const told = agent.records.at(-1)?.seq ?? 0
  const untilMs = performance.now() + patienceMs
  for (;;) {
    await delay(writeDelayMs)
    const evidence = await readCopy(agent.folder, (store) => readStore(store, `saga/${agent.name}/`))
    if ((evidence.records.at(-1)?.seq ?? 0) >= told) return evidence
    if (performance.now() > untilMs) throw new Error(`record ${told} of ${agent.name} did not come to disk`)
  }
}

/** An open store is its process's alone, so it is copied first, as of one moment. */
async function readCopy<Result>(folder: string, read: (store: Store) => Promise<Result>): Promise<Result> {
  const scratch = await mkdtemp(join(folder, 'copy-'))
  try {
    const path = join(scratch, 'store.sqlite')
    const source = new DatabaseSync(join(folder, 'store.sqlite'), { readOnly: true })
    source.prepare('VACUUM INTO ?').run(path)
    source.close()
    const store = await openSqliteStore({ path })
    try {
      return await read(store)
    } finally {
      await store.close()
    }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function readStore(store: Store, sagaPrefix: string): Promise<StoreEvidence> {
  let exported = ''
  for await (const lines of exportAudit(store)) exported += lines
  const sagas = new Map<string, readonly SagaEvent[]>()
  for (const stream of await store.journal.streams(sagaPrefix)) {
    const entries = await store.journal.read(stream)
    const events = entries.map(({ data }) => peekEvent(data))
    sagas.set(stream.slice(sagaPrefix.length), events)
  }
  const ledger = await openTrustLedger({
    store,
    clock: createManualClock(ledgerAtMs),
    verify: verifySignature,
    isVouched: () => true,
    // The copy is gone when it is asked.
    isRecomputed: true,
  })
  return { exported, records: readRecords(exported), sagas, trustIn: (peer) => ledger.view(peer) }
}

function readRecords(exported: string): readonly AuditRecord[] {
  return exported.split('\n').flatMap((line) => readAuditLine(line) ?? [])
}
