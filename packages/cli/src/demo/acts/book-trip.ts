import type { Cast } from '../cast.ts'
import type { Trip } from '../trip/trip.ts'

/** Books a trip and waits until its saga has ended. */
export async function bookTrip({ concierge }: Cast, trip: Trip): Promise<void> {
  await concierge.run('book', trip)
  await concierge.run('settle', trip.id)
}
