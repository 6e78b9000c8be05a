import type { Act } from '../act.ts'
import { readStoreEvidence } from '../proof/store-evidence.ts'
import { listEffects, readAllBooks } from '../proof/all-books.ts'
import { listSteps, statusOf } from '../proof/journal-facts.ts'
import { prefersBudget } from '../trip/trip-kind.ts'
import { bookTrip } from './book-trip.ts'

/** An agent of another owner breaks again and again, until it is not asked any more. */
export const distrusted: Act = {
  name: '5 a peer loses trust',
  async perform({ cast, takeTrip }) {
    const { concierge, budgetHotels, ownerOf } = cast
    const broken = takeTrip(prefersBudget)
    const moved = takeTrip(prefersBudget)
    await budgetHotels.run('misbehave')
    await bookTrip(cast, broken)
    const fallen = await readStoreEvidence(concierge)
    await bookTrip(cast, moved)
    const books = readAllBooks(cast)
    const { records, sagas, trustIn } = await readStoreEvidence(concierge)
    const { records: theirs } = await readStoreEvidence(budgetHotels)
    const peer = `${ownerOf('budget/hotels')} budget/hotels`
    const failures = fallen.records.filter((record) => record['saga'] === broken.id && record['outcome'] === 'failed')
    const refused = records.find((record) => record['saga'] === moved.id && record['peer'] === 'budget/hotels')
    const skipped = sagas.get(moved.id)?.find((event) => event.type === 'provider-skipped')
    const room = sagas.get(moved.id)?.findLast((event) => event.type === 'intended' && event.step === 'hotel')
    const { score, tier } = trustIn(peer)
    return [
      {
        expected: 'trip 1: compensated after 3 failures',
        seen: `trip 1: ${statusOf(sagas.get(broken.id))} after ${failures.length} failures`,
      },
      {
        expected: 'trust in budget/hotels: below 480, probationary',
        seen: `trust in budget/hotels: ${score < 480 ? 'below 480' : score}, ${tier}`,
      },
      {
        expected: 'trip 2: refused trust.below-threshold, sent: false',
        seen: `trip 2: ${String(refused?.['outcome'])} ${String(refused?.['code'])}, sent: ${String(refused?.['sent'])}`,
      },
      {
        expected: 'requests of trip 2 at budget/hotels: 0',
        seen: `requests of trip 2 at budget/hotels: ${theirs.filter((record) => record['saga'] === moved.id).length}`,
      },
      {
        expected: 'journal: budget/hotels skipped, acme/hotels asked',
        seen: `journal: ${skipped?.type === 'provider-skipped' ? skipped.provider : 'nobody'} skipped, ${room?.type === 'intended' ? room.provider : 'nobody'} asked`,
      },
      {
        expected: 'trip 2: completed, committed: flight, hotel, charge',
        seen: `trip 2: ${statusOf(sagas.get(moved.id))}, committed: ${listSteps(sagas.get(moved.id), 'committed')}`,
      },
      {
        expected: 'effects of trip 1: flight done, flight undone',
        seen: `effects of trip 1: ${listEffects(books, broken.id)}`,
      },
    ]
  },
}
