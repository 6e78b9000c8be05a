import type { Transport } from '@parley/ports'

/** A delivery in a form that compares well. */
export interface CollectedDelivery {
  readonly subject: string
  readonly data: readonly number[]
  readonly isBounce?: true
}

/** What a subscription got. */
export interface DeliveryCollector {
  /** Everything that came so far. */
  seen(): readonly CollectedDelivery[]
  /** Resolves with the next `count` that were not taken yet, once they are there. */
  take(count: number): Promise<readonly CollectedDelivery[]>
  stop(): void
}

/** Subscribes and keeps what comes. */
export async function collectDeliveries(transport: Transport, pattern: string): Promise<DeliveryCollector> {
  const seen: CollectedDelivery[] = []
  let taken = 0
  let wake = (): void => {}
  const stop = await transport.subscribe(pattern, ({ data, ...unit }) => {
    seen.push({ ...unit, data: [...data] })
    wake()
  })
  return {
    seen: () => seen,
    stop,
    async take(count) {
      while (seen.length < taken + count)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      taken += count
      return seen.slice(taken - count, taken)
    },
  }
}
