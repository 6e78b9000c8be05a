/** One entry of a journal stream: opaque bytes at a position that starts at 1 and has no gaps. */
export interface JournalEntry {
  readonly position: number
  readonly data: Uint8Array
}

/** Append-only streams. A stream exists from its first append. */
export interface Journal {
  /**
   * Appends `entries` at the end of `stream`, all or none, and resolves once they are durable. `expectedLast` is the
   * position of the last entry that the writer knows (0 for none): any other truth rejects with
   * `store.position-conflict` and writes nothing, which is how two writers are kept apart. Returns the new last position.
   */
  append(stream: string, expectedLast: number, entries: readonly Uint8Array[]): Promise<number>
  /**
   * Appends `entries`, at least one, as `append` does, and removes all that came before, in one step: wherever the process
   * ends, the stream is as it was or as it is to be. Positions go on. Returns the new last position.
   */
  compact(stream: string, expectedLast: number, entries: readonly Uint8Array[]): Promise<number>
  /**
   * Reads entries from `fromPosition` (default 1), at most `limit` of them (default all), in order; of a compacted stream from
   * the first that was kept. Rejects with `store.corrupt` where an entry is missing that nobody removed.
   */
  read(stream: string, fromPosition?: number, limit?: number): Promise<readonly JournalEntry[]>
  /** Returns the last position of a stream; 0 if there is none. */
  last(stream: string): Promise<number>
  /** Lists the names of streams that start with `prefix`, in code-unit order. */
  streams(prefix: string): Promise<readonly string[]>
}

/** One key's value with the revision that wrote it. Revisions of a key start at 1 and grow by 1. */
export interface KeyValueEntry {
  readonly key: string
  readonly value: Uint8Array
  readonly revision: number
}

/** Small mutable values by key. */
export interface KeyValue {
  get(key: string): Promise<KeyValueEntry | undefined>
  /**
   * Writes durably and returns the new revision. With `expectedRevision` (0: the key must not exist) any other truth
   * rejects with `store.revision-conflict` and writes nothing.
   */
  put(key: string, value: Uint8Array, expectedRevision?: number): Promise<number>
  /** Removes a key; removing one that does not exist does nothing. */
  delete(key: string): Promise<void>
  /** Lists entries whose key starts with `prefix`, in code-unit order of the key. */
  list(prefix: string): Promise<readonly KeyValueEntry[]>
}

/** Keeps what must outlive the process. Names of streams and keys are prefixed by their user, for instance `saga/`. */
export interface Store {
  /** Names the implementation for logs and `doctor`. */
  readonly kind: string
  readonly journal: Journal
  readonly keyValue: KeyValue
  /** Finishes pending writes and releases the file or connection. Later calls reject with `store.closed`. Idempotent. */
  close(): Promise<void>
}
