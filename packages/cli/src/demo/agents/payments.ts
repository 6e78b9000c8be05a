import { join } from 'node:path'
import { createNode } from '@parley/mesh'
import { payments } from '../trip/contracts.ts'
import type { OpenAgent } from './agent.ts'
import { noteEffect, openBooks } from './books.ts'
import { createPace } from './pace.ts'

const tables = `
  CREATE TABLE IF NOT EXISTS account (card TEXT PRIMARY KEY, balance_cents INTEGER NOT NULL CHECK (balance_cents >= 0)) STRICT;
  CREATE TABLE IF NOT EXISTS receipt (
    id INTEGER PRIMARY KEY, card TEXT NOT NULL REFERENCES account (card), amount_cents INTEGER NOT NULL
  ) STRICT;
  INSERT OR IGNORE INTO account VALUES
    ('card-gold', 2000000), ('card-silver', 1000000), ('card-blue', 1000000), ('card-empty', 500);
`

/** Opens the agent that moves money. */
export const openPayments: OpenAgent = async ({ name, natsUrl, folder, anchors }, link) => {
  const { participant, close } = openBooks(folder, tables)
  const pace = createPace()
  const node = await createNode({
    name,
    ...link,
    anchors,
    nats: natsUrl,
    data: join(folder, 'store.sqlite'),
    serves: [payments],
  })
  node.serve(payments, {
    charge: participant.serve(payments.charge, {
      do(tx, { card, amountCents }, hop) {
        const account = tx.prepare('SELECT balance_cents FROM account WHERE card = ?').get(card)
        const missingCents = amountCents - Number(account?.['balance_cents'] ?? 0)
        if (missingCents > 0) return hop.decline('card-declined', { card, missingCents })
        tx.prepare('UPDATE account SET balance_cents = balance_cents - ? WHERE card = ?').run(amountCents, card)
        const { lastInsertRowid } = tx
          .prepare('INSERT INTO receipt (card, amount_cents) VALUES (?, ?)')
          .run(card, amountCents)
        noteEffect(tx, hop, 'done')
        return { receipt: Number(lastInsertRowid) }
      },
    }),
    balance: pace.slow(
      participant.serve(payments.balance, {
        do(tx, { card }) {
          const account = tx.prepare('SELECT balance_cents FROM account WHERE card = ?').get(card)
          return { balanceCents: Number(account?.['balance_cents'] ?? 0) }
        },
      }),
    ),
  })
  await node.start()
  return {
    commands: pace.commands,
    async close() {
      await node.close()
      close()
    },
  }
}
