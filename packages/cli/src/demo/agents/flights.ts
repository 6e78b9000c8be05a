import { join } from 'node:path'
import { createNode } from '@parley/mesh'
import { z } from 'zod'
import { flights } from '../trip/contracts.ts'
import type { OpenAgent } from './agent.ts'
import { noteEffect, openBooks } from './books.ts'

const tables = `
  CREATE TABLE IF NOT EXISTS route (
    name TEXT PRIMARY KEY, seats INTEGER NOT NULL CHECK (seats >= 0), price_cents INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS booking (
    id INTEGER PRIMARY KEY, traveller TEXT NOT NULL, route TEXT NOT NULL REFERENCES route (name), class TEXT NOT NULL
  ) STRICT;
  INSERT OR IGNORE INTO route VALUES ('ZRH-SFO', 20, 64000), ('ZRH-LIS', 20, 18000), ('ZRH-OSL', 20, 21000);
`
const booked = z.object({ booking: z.int() })

/** Opens the agent that sells seats. */
export const openFlights: OpenAgent = async ({ name, natsUrl, folder, anchors }, link) => {
  const { participant, close } = openBooks(folder, tables)
  const node = await createNode({
    name,
    ...link,
    anchors,
    nats: natsUrl,
    data: join(folder, 'store.sqlite'),
    serves: [flights],
  })
  node.serve(flights, {
    reserve: participant.serve(flights.reserve, {
      do(tx, { traveller, from, to }, hop) {
        const route = `${from}-${to}`
        const taken = tx
          .prepare('UPDATE route SET seats = seats - 1 WHERE name = ? AND seats > 0 RETURNING price_cents')
          .get(route)
        if (!taken) return hop.decline('sold-out', { route })
        const { lastInsertRowid } = tx
          .prepare("INSERT INTO booking (traveller, route, class) VALUES (?, ?, 'economy')")
          .run(traveller, route)
        noteEffect(tx, hop, 'done')
        return { booking: Number(lastInsertRowid), priceCents: Number(taken['price_cents']) }
      },
      undo(tx, { output }, hop) {
        const { booking } = booked.parse(output)
        const freed = tx.prepare('DELETE FROM booking WHERE id = ? RETURNING route').get(booking)
        if (!freed) throw new RangeError(`there is no booking ${booking}`)
        tx.prepare('UPDATE route SET seats = seats + 1 WHERE name = ?').run(String(freed['route']))
        noteEffect(tx, hop, 'undone')
      },
    }),
    upgrade: participant.serve(flights.upgrade, {
      do(tx, { traveller }, hop) {
        const { changes } = tx.prepare("UPDATE booking SET class = 'business' WHERE traveller = ?").run(traveller)
        noteEffect(tx, hop, 'done')
        return { upgraded: Number(changes) }
      },
    }),
  })
  await node.start()
  return {
    commands: {},
    async close() {
      await node.close()
      close()
    },
  }
}
