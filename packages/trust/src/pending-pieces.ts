import type { EvidencePieces } from './evidence-batch.ts'
import type { Sight } from './sight.ts'

/** Pieces of evidence that wait to be written, already as columns: a hop leaves no object behind. */
export interface PendingPieces {
  count(): number
  add(peer: string, capability: string, sight: Sight, atMs: number, envelope: string, start: number | undefined): void
  /** Gives the columns. */
  pieces(): EvidencePieces
}

/** Starts to gather. */
export function createPendingPieces(): PendingPieces {
  const peers = new Map<string, number>()
  const capabilities = new Map<string, number>()
  const sights = new Map<Sight, number>()
  const sightList: Sight[] = []
  const rows: number[] = []
  const starts: Record<string, number> = {}
  const envelopes: string[] = []
  let lastAtMs = 0
  // Mostly the same one comes again.
  let lastCapability = ''
  let lastNumber = -1
  return {
    count: () => envelopes.length,
    add(peer, capability, sight, atMs, envelope, start) {
      const number = numberOf(peers, peer)
      let sightNumber = sights.get(sight)
      if (sightNumber === undefined) {
        sightNumber = sightList.push(sight) - 1
        sights.set(sight, sightNumber)
      }
      if (lastNumber < 0 || capability !== lastCapability) {
        lastNumber = numberOf(capabilities, capability)
        lastCapability = capability
      }
      rows.push(atMs - lastAtMs, number, lastNumber, sightNumber)
      lastAtMs = atMs
      envelopes.push(envelope)
      if (start !== undefined) starts[String(number)] = start
    },
    pieces: () => ({
      peers: [...peers.keys()],
      capabilities: [...capabilities.keys()],
      sights: sightList,
      rows,
      starts,
      envelopes: envelopes.join(' '),
    }),
  }
}

function numberOf(numbers: Map<string, number>, name: string): number {
  const known = numbers.get(name)
  if (known !== undefined) return known
  numbers.set(name, numbers.size)
  return numbers.size - 1
}
