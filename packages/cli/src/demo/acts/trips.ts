import type { SagaEvent } from '@parley/saga'
import type { Cast } from '../cast.ts'
import type { Trip } from '../trip.ts'
import { readBooksEvidence, type BooksEvidence } from '../proof/books-evidence.ts'

/** Tells whether a trip is paid with a card that has money, at the one owner. */
export function isPaying(trip: Trip): boolean {
  return !isPoor(trip) && trip.hotels.length === 1
}

/** Tells whether a trip is paid with the card that has none. */
export function isPoor(trip: Trip): boolean {
  return trip.card === 'card-empty'
}

/** Tells whether a trip would rather stay with the other owner's hotels. */
export function prefersBudget(trip: Trip): boolean {
  return trip.hotels[0] === 'budget/hotels'
}

/** Books a trip and waits until its saga has ended. */
export async function bookTrip({ concierge }: Cast, trip: Trip): Promise<void> {
  await concierge.run('book', trip)
  await concierge.run('settle', trip.id)
}

/** The books of all who keep some, by the agent's name. */
export type AllBooks = Readonly<Record<string, BooksEvidence>>

/** Reads all books. */
export function readAllBooks({ flights, hotels, budgetHotels, payments }: Cast): AllBooks {
  return Object.fromEntries(
    [flights, hotels, budgetHotels, payments].map((agent) => [agent.name, readBooksEvidence(agent)]),
  )
}

/** Lists the agents whose books differ. */
export function listChanged(before: AllBooks, after: AllBooks): readonly string[] {
  return Object.keys(after).filter((name) => after[name]?.state !== before[name]?.state)
}

/** Says how a saga ended, as its journal has it. */
export function statusOf(events: readonly SagaEvent[] = []): string {
  return events.at(-1)?.type ?? 'unknown'
}

/** Lists the steps to which something happened, in the order of the journal. */
export function listSteps(events: readonly SagaEvent[] = [], type: SagaEvent['type']): string {
  return list(events.flatMap((event) => (event.type === type && 'step' in event && event.step ? [event.step] : [])))
}

/** Lists the effects of a saga in all books: `flight done`, in the order flights, hotels, payments. */
export function listEffects(books: AllBooks, saga: string): string {
  return list(
    Object.values(books)
      .flatMap(({ effects }) => effects)
      .filter((effect) => effect.saga === saga)
      .map(({ step, change }) => `${step} ${change}`),
  )
}

/** Counts the keys of steps whose effect was made, or taken back, more than once. */
export function countRepeats(books: AllBooks): number {
  const changes = Object.values(books)
    .flatMap(({ effects }) => effects)
    .map(({ saga, key, change }) => `${saga} ${key} ${change}`)
  return changes.length - new Set(changes).size
}

/** Adds up what the committed steps of a saga said that they cost. */
export function sumPrices(events: readonly SagaEvent[] = []): number {
  const prices = events.map((event) => (event.type === 'committed' ? (event.output as { priceCents?: number }) : {}))
  return prices.reduce((sum, { priceCents = 0 }) => sum + priceCents, 0)
}

/** Joins words for a fact. */
export function list(words: readonly (string | number)[]): string {
  return words.length === 0 ? 'nothing' : words.join(', ')
}
