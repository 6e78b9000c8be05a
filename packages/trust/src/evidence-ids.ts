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
  let current = createGeneration()
  let previous = createGeneration()
  let size = 0
  const addSeen = (envelope: string, seen: Seen): boolean => {
    const known = current[seen]
    if (known.has(envelope) || previous[seen].has(envelope)) return false
    known.add(envelope)
    if (++size >= count) {
      previous = current
      current = createGeneration()
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
type Seen = 'callee' | 'caller' | 'measure' | 'incident'
type Generation = Readonly<Record<Seen, Set<string>>>

function createGeneration(): Generation {
  return { callee: new Set(), caller: new Set(), measure: new Set(), incident: new Set() }
}

function isSeenWord(word: string | undefined): word is Seen {
  return word === 'callee' || word === 'caller' || word === 'measure' || word === 'incident'
}

function nameSeen(observed: Observed): Seen {
  if ('role' in observed) return observed.role
  return 'dimension' in observed ? 'measure' : 'incident'
}
