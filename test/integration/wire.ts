import { systemHash, type Delivery, type Unsubscribe } from '@parley/ports'
import { decodeFrame, parseHeader, type EnvelopeHeader } from '@parley/protocol'

/** Everything that goes over a bus from now on. */
export interface Wire {
  /** The units as they were published. */
  readonly units: readonly Delivery[]
  /** The headers of all envelopes in them, in order. */
  headers(): readonly EnvelopeHeader[]
  /** The first unit with an envelope of a type. Throws if there is none. */
  unitOf(type: EnvelopeHeader['type']): Delivery
}

/** Taps a bus. */
export function tapWire(bus: { tap(listener: (delivery: Delivery) => void): Unsubscribe }): Wire {
  const units: Delivery[] = []
  bus.tap((unit) => units.push(unit))
  return {
    units,
    headers: () => units.flatMap(readHeaders),
    unitOf(type) {
      const found = units.find((unit) => readHeaders(unit).some((header) => header.type === type))
      if (!found) throw new Error(`no ${type} went over the wire`)
      return found
    },
  }
}

/** Reads the headers of a frame, whose signature is not checked. */
export function readHeaders(unit: Delivery): readonly EnvelopeHeader[] {
  const decoded = decodeFrame(systemHash, unit.data)
  if (decoded.kind === 'deny') return []
  return decoded.frame.envelopes.flatMap(({ header }) => {
    const parsed = parseHeader(header)
    return parsed.kind === 'allow' ? [parsed.header] : []
  })
}
