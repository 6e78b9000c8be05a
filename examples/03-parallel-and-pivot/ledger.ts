import type { DatabaseSync } from 'node:sqlite'
import { createSystemClock } from '@parley/ports'
import { createParticipant, type Participant } from '@parley/saga'
import { openParticipantDatabase, openSqliteInbox, withTransaction } from '@parley/store-sqlite'

/** One participant's own database: a stock that bookings draw on, beside the inbox that makes them exact. */
export interface Ledger {
  readonly participant: Participant<DatabaseSync>
  /** Takes `amount` out of the stock; undefined if there is too little. */
  take(tx: DatabaseSync, amount: number): number | undefined
  giveBack(tx: DatabaseSync, booking: number): void
  left(): number
}

/** Opens a ledger with a stock, in memory. */
export function openLedger(stock: number): Ledger {
  const db = openParticipantDatabase(':memory:')
  db.exec('CREATE TABLE booking (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL) STRICT')
  const left = (): number => stock - Number(db.prepare('SELECT total(amount) AS taken FROM booking').get()?.['taken'])
  return {
    participant: createParticipant({
      inbox: openSqliteInbox(db),
      transaction: (run) => withTransaction(db, run),
      clock: createSystemClock(),
    }),
    take(tx, amount) {
      if (left() < amount) return undefined
      return Number(tx.prepare('INSERT INTO booking (amount) VALUES (?)').run(amount).lastInsertRowid)
    },
    giveBack(tx, booking) {
      tx.prepare('DELETE FROM booking WHERE id = ?').run(booking)
    },
    left,
  }
}
