import type { Cast } from '../cast.ts'
import { readBooksEvidence, type BooksEvidence } from './books-evidence.ts'
import { list } from './list.ts'

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
