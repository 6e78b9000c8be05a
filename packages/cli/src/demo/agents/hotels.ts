import { join } from 'node:path'
import { createNode } from '@parley/mesh'
import { z } from 'zod'
import { hotels } from '../trip/contracts.ts'
import type { OpenAgent } from './agent.ts'
import { noteEffect, openBooks } from './books.ts'
import { createPace } from './pace.ts'

const tables = `
  CREATE TABLE IF NOT EXISTS city (
    name TEXT PRIMARY KEY, rooms INTEGER NOT NULL CHECK (rooms >= 0), night_cents INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS booking (
    id INTEGER PRIMARY KEY, guest TEXT NOT NULL, city TEXT NOT NULL REFERENCES city (name), nights INTEGER NOT NULL
  ) STRICT;
  INSERT OR IGNORE INTO city VALUES ('SFO', 20, 22000), ('LIS', 20, 9000), ('OSL', 20, 14000);
`
const booked = z.object({ booking: z.int() })

/** Opens an agent that lets rooms. Told to `misbehave`, it breaks in the middle of every reservation. */
export const openHotels: OpenAgent = async ({ name, natsUrl, folder, anchors }, link) => {
  const { participant, close } = openBooks(folder, tables)
  const pace = createPace()
  let misbehaves = false
  const node = await createNode({
    name,
    ...link,
    anchors,
    nats: natsUrl,
    data: join(folder, 'store.sqlite'),
    serves: [hotels],
  })
  node.serve(hotels, {
    reserve: pace.slow(
      participant.serve(hotels.reserve, {
        do(tx, { guest, city, nights }, hop) {
          const taken = tx
            .prepare('UPDATE city SET rooms = rooms - 1 WHERE name = ? AND rooms > 0 RETURNING night_cents')
            .get(city)
          if (!taken) return hop.decline('no-rooms', { city })
          const { lastInsertRowid } = tx
            .prepare('INSERT INTO booking (guest, city, nights) VALUES (?, ?, ?)')
            .run(guest, city, nights)
          noteEffect(tx, hop, 'done')
          if (misbehaves) throw new Error('the reservation system is broken')
          return { booking: Number(lastInsertRowid), priceCents: Number(taken['night_cents']) * nights }
        },
        undo(tx, { output }, hop) {
          const { booking } = booked.parse(output)
          const freed = tx.prepare('DELETE FROM booking WHERE id = ? RETURNING city').get(booking)
          if (!freed) throw new RangeError(`there is no booking ${booking}`)
          tx.prepare('UPDATE city SET rooms = rooms + 1 WHERE name = ?').run(String(freed['city']))
          noteEffect(tx, hop, 'undone')
        },
      }),
    ),
  })
  await node.start()
  return {
    commands: {
      ...pace.commands,
      misbehave() {
        misbehaves = true
      },
    },
    async close() {
      await node.close()
      close()
    },
  }
}
