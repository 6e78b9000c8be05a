import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { AgentProcess } from '../agent-process.ts'

/** One effect, as the agent's own transaction noted it. */
export interface EffectRow {
  readonly saga: string
  readonly step: string
  readonly key: string
  readonly change: string
}

/** What an agent's own database holds, read without asking the agent. */
export interface BooksEvidence {
  /** Seats, rooms or cents that are left. */
  readonly left: number
  /** Everything but the notes of effects, as one text: equal texts are equal books. */
  readonly state: string
  readonly effects: readonly EffectRow[]
}

const stocks: Readonly<Record<string, { readonly left: string; readonly tables: readonly string[] }>> = {
  flights: { left: 'SELECT sum(seats) AS sum FROM route', tables: ['route', 'booking'] },
  hotels: { left: 'SELECT sum(rooms) AS sum FROM city', tables: ['city', 'booking'] },
  payments: { left: 'SELECT sum(balance_cents) AS sum FROM account', tables: ['account', 'receipt'] },
}

/** Reads the books of a participant. */
export function readBooksEvidence(agent: AgentProcess): BooksEvidence {
  const stock = stocks[agent.role]
  if (!stock) throw new RangeError(`${agent.name} keeps no books`)
  const db = new DatabaseSync(join(agent.folder, 'books.sqlite'), { readOnly: true })
  try {
    return {
      left: Number(db.prepare(stock.left).get()?.['sum']),
      state: JSON.stringify(stock.tables.map((table) => db.prepare(`SELECT * FROM ${table} ORDER BY 1`).all())),
      effects: db
        .prepare('SELECT saga, step, key, change FROM effect ORDER BY id')
        .all()
        .map((row) => ({
          saga: String(row['saga']),
          step: String(row['step']),
          key: String(row['key']),
          change: String(row['change']),
        })),
    }
  } finally {
    db.close()
  }
}
