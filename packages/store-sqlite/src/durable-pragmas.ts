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
