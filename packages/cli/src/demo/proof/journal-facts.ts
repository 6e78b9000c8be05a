import type { SagaEvent } from '@parley/saga'
import { list } from './list.ts'

/** Says how a saga ended, as its journal has it. */
export function statusOf(events: readonly SagaEvent[] = []): string {
  return events.at(-1)?.type ?? 'unknown'
}

/** Lists the steps to which something happened, in the order of the journal. */
export function listSteps(events: readonly SagaEvent[] = [], type: SagaEvent['type']): string {
  return list(events.flatMap((event) => (event.type === type && 'step' in event && event.step ? [event.step] : [])))
}

/** Adds up what the committed steps of a saga said that they cost. */
export function sumPrices(events: readonly SagaEvent[] = []): number {
  const prices = events.map((event) => (event.type === 'committed' ? (event.output as { priceCents?: number }) : {}))
  return prices.reduce((sum, { priceCents = 0 }) => sum + priceCents, 0)
}
