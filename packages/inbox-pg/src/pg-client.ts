/** Runs statements; what `pg`'s `Client` and `PoolClient` offer. */
export interface PgTransaction {
  query(text: string, values?: readonly unknown[]): Promise<PgResult>
}

/** What a statement answered. Integers of 64 bits come as texts. */
export interface PgResult {
  /** The command that the server says it ran, for instance `ROLLBACK` for the COMMIT of a transaction that had failed. */
  readonly command: string
  readonly rows: readonly Readonly<Record<string, unknown>>[]
}

/** A connection out of a pool. */
export interface PgClient extends PgTransaction {
  /** Gives the connection back; with `true` it is closed instead. */
  release(destroy?: boolean): void
  on(event: 'error', listener: (error: Error) => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
}

/** Connections to one database; `pg`'s `Pool` is one. */
export interface PgPool {
  connect(): Promise<PgClient>
}
