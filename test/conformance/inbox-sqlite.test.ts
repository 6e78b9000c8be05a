import { inboxConformance, locksConformance } from '@parley/conformance'
import {
  openParticipantDatabase,
  openSqliteInbox,
  openSqliteLocks,
  purgeSqliteInbox,
  withTransaction,
} from '@parley/store-sqlite'
import { describe, expect, it } from 'vitest'

inboxConformance({ describe, it, expect }, 'the SQLite inbox', async () => {
  const db = openParticipantDatabase(':memory:')
  return {
    inbox: openSqliteInbox(db),
    transact: (work) => withTransaction(db, work),
    purge: (nowMs) => purgeSqliteInbox(db, nowMs),
    async dispose() {
      db.close()
    },
  }
})

locksConformance({ describe, it, expect }, 'the SQLite locks', async () => {
  const db = openParticipantDatabase(':memory:')
  return {
    locks: openSqliteLocks(db),
    transact: (work) => withTransaction(db, work),
    purge: (nowMs) => purgeSqliteInbox(db, nowMs),
    async dispose() {
      db.close()
    },
  }
})
