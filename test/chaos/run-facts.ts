import type { SagaEvent } from '@parley/saga'

/** One row of a participant's own database: an effect, or that it was taken back. */
export interface EffectRow {
  readonly agent: string
  readonly kind: 'do' | 'undo'
  readonly saga: string
  readonly step: string
  readonly key: string
  readonly attempt: number
  readonly epoch: number
  /** The name whose verified command it was. */
  readonly caller: string
}

/** What a run left about one saga. */
export interface SagaFacts {
  readonly id: string
  /** Its start was acknowledged. */
  readonly acknowledged: boolean
  /** Its journal; empty where there is none. */
  readonly events: readonly SagaEvent[]
  /** Why its journal could not be read. */
  readonly problem?: string
}

/** What a run left on the disks. */
export interface RunFacts {
  readonly sagas: readonly SagaFacts[]
  /** Of each participant in the order of its commits. */
  readonly effects: readonly EffectRow[]
}

/** A participant's own table: what was done and undone, in the order of the commits, who said so, under which epoch. */
export const effectTable = `CREATE TABLE IF NOT EXISTS effect (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, saga TEXT NOT NULL, step TEXT NOT NULL, key TEXT NOT NULL,
  attempt INTEGER NOT NULL, epoch INTEGER NOT NULL, caller TEXT NOT NULL
) STRICT`
