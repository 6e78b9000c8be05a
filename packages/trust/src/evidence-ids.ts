import { pieceCells, type EvidenceBatch } from './evidence-batch.ts'
import type { Observed } from './evidence.ts'

/** Remembers which envelopes were evidence already, within a bound. */
export interface EvidenceIds {
  /** Remembers an observation; false if it was there. What rests on no envelope is always new. */
  add(observed: Observed): boolean
  /** Remembers the envelopes of a batch of before. */
  addBatch(batch: EvidenceBatch): void
}

/** Creates a memory of at least the last `count` envelopes and at most twice as many. */
export function createEvidenceIds(count: number): EvidenceIds {
  let current = new Map<string, Set<string>>()
  let previous = new Map<string, Set<string>>()
  let size = 0
  const addSeen = (envelope: string, seen: string): boolean => {
    if (current.get(seen)?.has(envelope) === true || previous.get(seen)?.has(envelope) === true) return false
    if (size >= count) {
      previous = current
      current = new Map()
      size = 0
    }
    size++
    const known = current.get(seen)
    if (known === undefined) current.set(seen, new Set([envelope]))
    else known.add(envelope)
    return true
  }
  return {
    addBatch({ pieces }) {
      const { rows, sights } = pieces
      for (const [index, envelope] of pieces.envelopes.split(' ').entries()) {
        const [seen] = sights[rows[index * pieceCells + 3] ?? 0]?.text.split(' ') ?? []
        if (envelope !== '' && seen !== undefined) addSeen(envelope, seen)
      }
    },
    add: (observed) => observed.envelope === undefined || addSeen(observed.envelope, nameSeen(observed)),
  }
}

/** Both sides of one envelope are evidence, each once. */
function nameSeen(observed: Observed): string {
  if ('role' in observed) return observed.role
  return 'dimension' in observed ? 'measure' : 'incident'
}
