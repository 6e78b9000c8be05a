import type { SafeguardName } from './safeguards.ts'
import type { SagaEvent } from '@parley/saga'

/** Which invariant of the design was broken, how, and when. */
export interface Breach {
  readonly invariant: 1 | 2 | 3 | 6
  readonly what: string
  readonly atMs: number
}

/** What a saga of a run was asked for, as the run knows it without asking any node. */
export interface Wish {
  readonly id: string
  readonly dueMs: number
  /** The chain that it acts under, if it has one. */
  readonly chain?: {
    readonly links: readonly string[]
    readonly grants: readonly string[]
    readonly expiresAtMs: number
  }
}

/** An order of the owner, as the run knows it. */
export interface GivenOrder {
  readonly kind: 'quarantine' | 'pin' | 'revoke'
  readonly subject: string
  readonly untilMs: number
  /** Of a pin. */
  readonly score?: number
}

/** The journal of one saga, as it stands on the disk. */
export interface KnownJournal {
  readonly events: readonly SagaEvent[]
  /** The lives that wrote each event. */
  readonly writers: readonly string[]
}

/** What a worker is started with. */
export interface SeedOrder {
  readonly safeguard?: SafeguardName
  readonly timelines: boolean
}

/** What became of one seed. */
export interface SeedReport {
  readonly seed: number
  readonly breaches: readonly Breach[]
  readonly ends: Readonly<Record<string, string>>
  readonly virtualMs: number
  readonly timeline?: string
}
