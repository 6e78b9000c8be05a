/** One measured line: plain facts, the same for the table and for `--json`. */
export type BenchRow = Readonly<Record<string, string | number>>

/** What a figure must reach for a claim in a README to stand. */
export interface BenchTarget {
  readonly name: string
  readonly value: number
  readonly target: number
  readonly holds: boolean
}

/** What a bench found out. */
export interface BenchResult {
  readonly rows: readonly BenchRow[]
  readonly targets: readonly BenchTarget[]
}

/** How long a bench measures, and what of it. */
export interface BenchOptions {
  /** Interleaved rounds for each setting. */
  readonly rounds: number
  /** How long one round of one contestant takes. */
  readonly roundMs: number
  /** Pieces of work in flight, one setting each. */
  readonly inFlight: readonly number[]
  /** Names of the contestants to measure; empty for all. */
  readonly only: readonly string[]
  /** Receives a line for a person about what is going on. */
  readonly log: (line: string) => void
}

/** One thing that is measured against its peers. */
export interface Bench {
  readonly name: string
  /** What is measured and what is not, in a sentence or two. */
  readonly about: string
  /** Libraries whose version matters, resolved from this folder. */
  readonly libraries: readonly string[]
  readonly defaultRounds: number
  /** Seconds of one round of one contestant unless the command says otherwise; default 1. */
  readonly defaultSeconds?: number
  /** Pieces of work in flight unless the command says otherwise. */
  readonly inFlight: readonly number[]
  run(options: BenchOptions): Promise<BenchResult>
}
