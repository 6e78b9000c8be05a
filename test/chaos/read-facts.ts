import { DatabaseSync } from 'node:sqlite'
import { createSystemClock, createSystemRandom, type Store } from '@parley/ports'
import { isMeshError } from '@parley/protocol'
import { formatSagaStream, openSagaJournal } from '@parley/saga'
import type { EffectRow, RunFacts, SagaFacts } from './run-facts.ts'
import { databaseFile, deskName } from './setup.ts'

/** Reads what a run left: the journals, with their chains, and the participants' databases. */
export async function readFacts(
  store: Store,
  folder: string,
  agents: readonly string[],
  sagas: readonly { readonly id: string; readonly acknowledged: boolean }[],
): Promise<RunFacts> {
  const read: SagaFacts[] = []
  const world = { clock: createSystemClock(), random: createSystemRandom() }
  for (const { id, acknowledged } of sagas) {
    try {
      const journal = openSagaJournal(store.journal, formatSagaStream(deskName, id), world)
      read.push({ id, acknowledged, events: (await journal.read()).map(({ event }) => event) })
    } catch (error) {
      if (!isMeshError(error)) throw error
      read.push({ id, acknowledged, events: [], problem: error.message })
    }
  }
  return { sagas: read, effects: agents.flatMap((agent) => readEffects(databaseFile(folder, agent), agent)) }
}

/** Reads the effects of one participant, in the order of its commits. */
export function readEffects(file: string, agent: string): readonly EffectRow[] {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    const rows = db.prepare('SELECT kind, saga, step, key, attempt, epoch, caller FROM effect ORDER BY id').all()
    return rows.map((row) => ({ ...(row as unknown as Omit<EffectRow, 'agent'>), agent }))
  } finally {
    db.close()
  }
}
