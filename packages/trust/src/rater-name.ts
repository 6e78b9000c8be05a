import type { Hash, Random, Store } from '@parley/ports'
import { encodeBase64url } from '@parley/protocol'
import { corruptEntry, readBatch, splitEntry } from './evidence-batch.ts'
import { agentOf } from './peer-key.ts'

/** Enough to tell the streams of one agent apart. */
const wordBytes = 6

/**
 * Returns the name under which an agent counts the evidence of one stream, and keeps it there: the agent's key and a word that
 * only this stream has. Without it two instances would both begin at 1.
 */
export async function nameRater(store: Store, stream: string, agent: string, random: Random): Promise<string> {
  const kept = await readName(store, stream)
  if (kept !== undefined && agentOf(kept) === agent) return kept
  const name = `${agent} ${encodeBase64url(random.bytes(wordBytes))}`
  await store.keyValue.put(nameKey(stream), new TextEncoder().encode(name))
  return name
}

/**
 * Returns who writes a stream: as it is kept, else who wrote its first batch; empty if there is none. Rejects with
 * `store.corrupt` if that is none.
 */
export async function readRater(store: Store, stream: string, hash: Hash): Promise<string> {
  const kept = await readName(store, stream)
  if (kept !== undefined) return kept
  const [entry] = await store.journal.read(stream, 1, 1)
  if (entry === undefined) return ''
  const batch = readBatch(splitEntry(entry.data, 1).sealed, hash)
  if (batch === undefined) throw corruptEntry(1, 'is no batch of evidence')
  return batch.rater
}

async function readName({ keyValue }: Store, stream: string): Promise<string | undefined> {
  const entry = await keyValue.get(nameKey(stream))
  return entry && new TextDecoder().decode(entry.value)
}

function nameKey(stream: string): string {
  return `${stream}/rater`
}
