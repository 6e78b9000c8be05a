import type { Delivery, Random } from '@parley/ports'

/** Something that goes wrong on the way from a publisher to the subscribers. */
export interface MemoryFault {
  /** `corrupt` flips one bit; `delay` holds a unit back for `delayMs`, so that later ones overtake it. */
  readonly kind: 'drop' | 'duplicate' | 'corrupt' | 'delay'
  /** Which units it concerns; all by default. */
  readonly when?: (delivery: Delivery) => boolean
  /** How probable it is for each of those, 0 to 1; default 1. */
  readonly probability?: number
  /** How long `delay` holds a unit back; default 1000. */
  readonly delayMs?: number
}

/** A unit with the time that faults hold it back. */
export interface FaultyDelivery extends Delivery {
  readonly delayMs: number
}

const defaultDelayMs = 1_000

/** Applies faults in their order to one published unit: none, one or more units come out. */
export function applyFaults(
  faults: Iterable<MemoryFault>,
  delivery: Delivery,
  random: Random,
): readonly FaultyDelivery[] {
  let units: readonly FaultyDelivery[] = [{ ...delivery, delayMs: 0 }]
  for (const fault of faults)
    units = units.flatMap((unit) => (strikes(fault, unit, random) ? strike(fault, unit, random) : unit))
  return units
}

function strikes({ when, probability = 1 }: MemoryFault, delivery: Delivery, random: Random): boolean {
  if (when && !when(delivery)) return false
  return probability >= 1 || random.float() < probability
}

function strike(fault: MemoryFault, unit: FaultyDelivery, random: Random): readonly FaultyDelivery[] {
  switch (fault.kind) {
    case 'drop':
      return []
    case 'duplicate':
      return [unit, unit]
    case 'corrupt':
      return [{ ...unit, data: flipBit(unit.data, random) }]
    case 'delay':
      return [{ ...unit, delayMs: unit.delayMs + (fault.delayMs ?? defaultDelayMs) }]
  }
}

function flipBit(data: Uint8Array, random: Random): Uint8Array {
  const copy = data.slice()
  const bit = Math.floor(random.float() * copy.length * 8)
  const index = bit >> 3
  const byte = copy[index]
  if (byte !== undefined) copy[index] = byte ^ (1 << (bit & 7))
  return copy
}
