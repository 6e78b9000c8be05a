import type { Act } from '../act.ts'
import { readStoreEvidence } from '../proof/store-evidence.ts'
import { countRepeats, listChanged, listEffects, readAllBooks } from '../proof/all-books.ts'
import { statusOf, sumPrices } from '../proof/journal-facts.ts'
import { list } from '../proof/list.ts'
import { isPaying, isPoor } from '../trip/trip-kind.ts'

/** The orchestrator is killed between two steps of two sagas; another instance finishes one and undoes the other. */
export const killed: Act = {
  name: '7 the orchestrator is killed',
  async perform({ cast, takeTrip }) {
    const { concierge, hotels } = cast
    const paying = takeTrip(isPaying)
    const poor = takeTrip(isPoor)
    const trips = [paying, poor]
    const before = readAllBooks(cast)
    await hotels.run('hold')
    await Promise.all(trips.map((trip) => concierge.run('book', trip)))
    for (const { id } of trips)
      await concierge.until(
        `the seat of ${id}`,
        (record) =>
          record.kind === 'saga' &&
          record['saga'] === id &&
          record['event'] === 'committed' &&
          record['step'] === 'flight',
      )
    await hotels.run('whenHeld', trips.length)
    // What was told of so far is on disk by now.
    await readStoreEvidence(concierge)
    await concierge.kill()
    await cast.restartConcierge()
    for (const { id } of trips)
      await hotels.until(`a lookup of ${id}`, (record) => record['saga'] === id && record['phase'] === 'lookup')
    await hotels.run('release')
    await Promise.all(trips.map(({ id }) => cast.concierge.run('settle', id)))
    const after = readAllBooks(cast)
    const { records, sagas } = await readStoreEvidence(cast.concierge)
    const openings = records.filter((record) => record.kind === 'lifecycle' && record['event'] === 'opened')
    const spent = (before['acme/payments']?.left ?? 0) - (after['acme/payments']?.left ?? 0)
    return [
      {
        expected: 'instances of the log: 2, with 2 keys, a gap between them: true',
        seen: `instances of the log: ${openings.length}, with ${new Set(openings.map(({ instance }) => instance)).size} keys, a gap between them: ${String(records.some(({ kind }) => kind === 'gap'))}`,
      },
      { expected: 'trip 1: completed', seen: `trip 1: ${statusOf(sagas.get(paying.id))}` },
      {
        expected: 'effects of trip 1: flight done, hotel done, charge done',
        seen: `effects of trip 1: ${listEffects(after, paying.id)}`,
      },
      { expected: 'trip 2: compensated', seen: `trip 2: ${statusOf(sagas.get(poor.id))}` },
      {
        expected: 'effects of trip 2: flight done, flight undone, hotel done, hotel undone',
        seen: `effects of trip 2: ${listEffects(after, poor.id)}`,
      },
      { expected: `cents spent: ${sumPrices(sagas.get(paying.id))}`, seen: `cents spent: ${spent}` },
      {
        expected: 'books changed: acme/flights, acme/hotels, acme/payments',
        seen: `books changed: ${list(listChanged(before, after))}`,
      },
      { expected: 'effects that happened twice: 0', seen: `effects that happened twice: ${countRepeats(after)}` },
    ]
  },
}
