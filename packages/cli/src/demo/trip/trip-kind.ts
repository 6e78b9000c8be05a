import type { Trip } from './trip.ts'

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
