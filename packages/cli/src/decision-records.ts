import type { AuditRecord } from '@parley/audit'
import { readDecisionBody } from '@parley/mesh'
import { parseKeptInput, type KeptDecision } from '@parley/policy'
import { findRecords } from './find-records.ts'
import { isSqlite } from './is-sqlite.ts'
import { withStore } from './with-store.ts'

/** A decision about a hop as a node recorded it. */
export interface DecisionRecord {
  readonly file: string
  readonly seq: number
  readonly side: string
  /** Absent where what it read was too large to be kept. */
  readonly kept?: KeptDecision
  /** The body that it read, where the node kept bodies. */
  readonly body?: { readonly value: unknown }
}

/** Reads the decisions that files hold about a hop, by its id: in stores of stopped nodes, or in exports. */
export async function readDecisionRecords(hop: string, files: readonly string[]): Promise<readonly DecisionRecord[]> {
  const found: DecisionRecord[] = []
  for (const file of files) {
    const decisions: AuditRecord[] = []
    for await (const record of findRecords(file, hop))
      if (record.kind === 'decision' && record['hop'] === hop) decisions.push(record)
    // The file is closed by now: a body is read out of the same store.
    for (const record of decisions) found.push(await describe(file, record))
  }
  return found
}

async function describe(file: string, record: AuditRecord): Promise<DecisionRecord> {
  const place = { file, seq: record.seq, side: String(record['side']) }
  const { decided, document, rule, code, policy, input: text } = record
  const input = typeof text === 'string' ? parseKeptInput(text) : undefined
  if (!input) return place
  const body = input.body === undefined ? undefined : await readBody(file, input.body)
  const kept: KeptDecision = {
    kind: decided === 'allow' ? 'allow' : 'deny',
    document: String(document),
    rule: String(rule),
    policyHash: String(policy),
    input,
    ...(typeof code === 'string' ? { code } : {}),
  }
  return { ...place, kept, ...(body ? { body } : {}) }
}

async function readBody(file: string, digest: string): Promise<{ readonly value: unknown } | undefined> {
  if (!(await isSqlite(file))) return undefined
  return withStore(file, (store) => readDecisionBody(store.keyValue, digest))
}
