import type { Act } from '../act.ts'
import { readStoreEvidence } from '../proof/store-evidence.ts'
import { listChanged, listEffects, readAllBooks } from '../proof/all-books.ts'
import { statusOf } from '../proof/journal-facts.ts'
import { list } from '../proof/list.ts'
import { isPoor } from '../trip/trip-kind.ts'
import { bookTrip } from './book-trip.ts'

/** The card is declined: what was done is taken back in reverse order. */
export const declined: Act = {
  name: '2 the card is declined',
  async perform({ cast, takeTrip }) {
    const trip = takeTrip(isPoor)
    const before = readAllBooks(cast)
    await bookTrip(cast, trip)
    const after = readAllBooks(cast)
    const { sagas, records } = await readStoreEvidence(cast.concierge)
    const undone = records.filter(
      (record) => record['saga'] === trip.id && record['phase'] === 'undo' && record['outcome'] === 'ok',
    )
    const { records: paid } = await readStoreEvidence(cast.payments)
    const charge = paid.find((record) => record['saga'] === trip.id)
    return [
      { expected: 'saga compensated', seen: `saga ${statusOf(sagas.get(trip.id))}` },
      {
        expected: 'charge declined: card-declined',
        seen: `charge ${String(charge?.['outcome'])}: ${String(charge?.['code'])}`,
      },
      {
        expected: 'undone in turn: hotel, flight',
        seen: `undone in turn: ${list(undone.map(({ step }) => String(step)))}`,
      },
      {
        expected: 'effects: flight done, flight undone, hotel done, hotel undone',
        seen: `effects: ${listEffects(after, trip.id)}`,
      },
      { expected: 'books changed: nothing', seen: `books changed: ${list(listChanged(before, after))}` },
    ]
  },
}
