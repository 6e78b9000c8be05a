import type { AuditRecord } from '@parley/audit'
import type { Act } from '../act.ts'
import { readStoreEvidence } from '../proof/store-evidence.ts'
import { readAllBooks } from '../proof/all-books.ts'
import { listSteps, statusOf, sumPrices } from '../proof/journal-facts.ts'
import { list } from '../proof/list.ts'
import { isPaying } from '../trip/trip-kind.ts'
import { bookTrip } from './book-trip.ts'

/** A trip is booked: three remote steps, all committed. */
export const booked: Act = {
  name: '1 a trip is booked',
  async perform({ cast, takeTrip }) {
    const trip = takeTrip(isPaying)
    const before = readAllBooks(cast)
    await bookTrip(cast, trip)
    const after = readAllBooks(cast)
    const moved = (name: string): number => (after[name]?.left ?? 0) - (before[name]?.left ?? 0)
    const { sagas, records } = await readStoreEvidence(cast.concierge)
    const journal = sagas.get(trip.id)
    const served = await Promise.all([cast.flights, cast.hotels, cast.payments].map(readStoreEvidence))
    const calls = records.filter((record) => record.kind === 'hop' && record['saga'] === trip.id)
    const isServed = (call: AuditRecord): boolean =>
      served.some(({ records: theirs }) =>
        theirs.some((record) => record.seq === call['peerRecord'] && record['hop'] === call['hop']),
      )
    return [
      { expected: 'saga completed', seen: `saga ${statusOf(journal)}` },
      { expected: 'committed: flight, hotel, charge', seen: `committed: ${listSteps(journal, 'committed')}` },
      {
        expected: `seats -1, rooms -1, cents -${sumPrices(journal)}`,
        seen: `seats ${moved('acme/flights')}, rooms ${moved('acme/hotels')}, cents ${moved('acme/payments')}`,
      },
      {
        expected: 'recorded by both sides: flights:reserve, hotels:reserve, payments:charge',
        seen: `recorded by both sides: ${list(calls.filter(isServed).map((call) => String(call['capability'])))}`,
      },
    ]
  },
}
