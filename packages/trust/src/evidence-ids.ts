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
 * Creates a memory of at least the last `count` envelopes and at most twice as many. It keeps 64 bits of each in a table that
 * is never thrown away: a set of texts cost a hop more than everything else that is done with its evidence. The table has two
 * halves, of which the older one is cleared when the newer one is full; a slot holds a place of both, so that they are in one
 * line of the processor's cache.
 */
export function createEvidenceIds(count: number): EvidenceIds {
  const slots = 2 ** Math.ceil(Math.log2(count * 2))
  const table = new Uint32Array(slots * slotCells)
  let newer = 0
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
    if (placeOf(table, halfCells - newer, low, high) < 0) return false
    const place = placeOf(table, newer, low, high)
    if (place < 0) return false
    table[place] = low
    table[place + 1] = high
    if (++size >= count) {
      newer = halfCells - newer
      for (let at = newer; at < table.length; at += slotCells) table[at + 1] = 0
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

const halfCells = 2
const slotCells = 2 * halfCells

/** Returns where the 64 bits belong in a half of the table, which is at most half full; -1 if they are there. */
function placeOf(table: Uint32Array, half: number, low: number, high: number): number {
  const mask = table.length - 1
  for (let at = Math.imul(low, slotCells) + half; ; at += slotCells) {
    const place = at & mask
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
