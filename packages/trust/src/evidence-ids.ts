import { pieceCells, type EvidenceBatch } from './evidence-batch.ts'
import type { Observed } from './evidence.ts'

/** Remembers which envelopes were evidence already, within a bound. */
export interface EvidenceIds {
  /** Remembers an observation; false if it was there. What rests on no envelope is always new. */
  add(observed: Observed): boolean
  /** Remembers the envelopes of a batch of before. */
  addBatch(batch: EvidenceBatch): void
}

/**
 * Creates a memory of at least the last `count` envelopes and at most twice as many. It keeps 64 bits of each in two tables
 * that are never thrown away: a set of texts cost a hop more than everything else that is done with its evidence.
 */
export function createEvidenceIds(count: number): EvidenceIds {
  const slots = 2 ** Math.ceil(Math.log2(count * 2))
  let current = new Uint32Array(slots * 2)
  let previous = new Uint32Array(slots * 2)
  let size = 0
  const addSeen = (envelope: string, seen: Seen): boolean => {
    let low = seeds[seen]
    let high = ~low
    // Two units at a time: this is most of what a piece costs.
    const even = envelope.length & ~1
    for (let at = 0; at < even; at += 2) {
      const unit = envelope.charCodeAt(at) | (envelope.charCodeAt(at + 1) << 16)
      low = Math.imul(low ^ unit, 0x01000193)
      high = Math.imul(high + unit, 0x85ebca6b) ^ (high >>> 15)
    }
    if (even < envelope.length) {
      const unit = envelope.charCodeAt(even)
      low = Math.imul(low ^ unit, 0x01000193)
      high = Math.imul(high + unit, 0x85ebca6b) ^ (high >>> 15)
    }
    // An empty slot is 0 and 0.
    low = (low ^ (low >>> 16)) >>> 0
    high = (high | 1) >>> 0
    if (placeOf(previous, low, high) < 0) return false
    const place = placeOf(current, low, high)
    if (place < 0) return false
    current[place] = low
    current[place + 1] = high
    if (++size >= count) {
      const oldest = previous
      previous = current
      current = oldest.fill(0)
      size = 0
    }
    return true
  }
  return {
    addBatch({ pieces }) {
      const { rows, sights } = pieces
      for (const [index, envelope] of pieces.envelopes.split(' ').entries()) {
        const [seen] = sights[rows[index * pieceCells + 3] ?? 0]?.text.split(' ') ?? []
        if (envelope !== '' && isSeenWord(seen)) addSeen(envelope, seen)
      }
    },
    add: (observed) => observed.envelope === undefined || addSeen(observed.envelope, nameSeen(observed)),
  }
}

/** Both sides of one envelope are evidence, each once. */
type Seen = keyof typeof seeds
const seeds = { callee: 0x811c9dc5, caller: 0x1b873593, measure: 0xcc9e2d51, incident: 0x9e3779b9 }

/** Returns where two halves belong in a table that is at most half full; -1 if they are there. */
function placeOf(table: Uint32Array, low: number, high: number): number {
  const mask = table.length / 2 - 1
  for (let slot = low & mask; ; slot = (slot + 1) & mask) {
    const place = slot * 2
    if (table[place + 1] === 0) return place
    if (table[place] === low && table[place + 1] === high) return -1
  }
}

function isSeenWord(word: string | undefined): word is Seen {
  return word !== undefined && word in seeds
}

function nameSeen(observed: Observed): Seen {
  if ('role' in observed) return observed.role
  return 'dimension' in observed ? 'measure' : 'incident'
}
