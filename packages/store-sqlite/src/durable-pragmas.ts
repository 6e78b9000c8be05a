/**
 * Makes a COMMIT durable: WAL, a sync at each commit (FULL), and on macOS one that reaches the platter (`fullfsync`; no
 * effect elsewhere). The checkpoint at 1000 pages bounds the log that a restart reads.
 */
export const durablePragmas: string = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA fullfsync = ON;
  PRAGMA checkpoint_fullfsync = ON;
  PRAGMA wal_autocheckpoint = 1000;
  PRAGMA foreign_keys = ON;
`

/**
 * For a store that syncs the log and moves it into the database itself (`WalSync`), off the main thread: neither holds the
 * event loop for as long as the disk takes. A log of 32,000 pages (128 MB) SQLite moves at once: so long it gets by bodies of
 * megabytes, or where the thread failed. What is deleted is overwritten, since it may be a key.
 */
export const storePragmas: string = `
  PRAGMA synchronous = NORMAL;
  PRAGMA wal_autocheckpoint = 32000;
  PRAGMA secure_delete = ON;
`
