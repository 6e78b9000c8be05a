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
 * For a store that syncs the log itself (`WalSync`) before it answers: a COMMIT does not hold the event loop for as long as
 * the disk takes. SQLite still syncs what a checkpoint moves, which comes every 8,000 pages (32 MB) here. What is deleted is
 * overwritten, since it may be a key.
 */
export const storePragmas: string = `
  PRAGMA synchronous = NORMAL;
  PRAGMA wal_autocheckpoint = 8000;
  PRAGMA secure_delete = ON;
`
