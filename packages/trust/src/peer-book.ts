import type { Evidence } from './evidence.ts'
import type { LedgerRecord, TrustPin } from './ledger-record.ts'
import { rowOf } from './outcome-table.ts'
import { createStanding, faultsPerIncident, observeOutcome, scoreAt, type Standing } from './standing.ts'

/** How many changes of a score are kept for explaining it. */
export const keptMovements = 10

/** How many capabilities of one peer are scored apart; further ones have its overall score. */
export const maxCapabilitiesPerPeer = 256

/** One change of a peer's overall score. */
export interface TrustMovement {
  readonly atMs: number
  /** The id of the evidence. */
  readonly evidence: string
  readonly what: string
  readonly before: number
  readonly after: number
}

/** A change as it is kept: put into words only when somebody asks. */
export interface KeptMovement {
  readonly evidence: Evidence
  /** The faults in a row that made it an incident; 0 if it was none. */
  readonly faults: number
  readonly atMs: number
  readonly before: number
  readonly after: number
}

/** Puts a change into words. */
export function tellMovement({ evidence, faults, atMs, before, after }: KeptMovement): TrustMovement {
  const incident = faults > 0 ? `, an incident: ${String(faults)} faults in a row` : ''
  const what = `${evidence.outcome} as ${evidence.role} of ${evidence.capability}${incident}`
  return { atMs, evidence: evidence.id, what, before, after }
}

/** Everything that is known of one peer. */
export interface PeerPage {
  readonly overall: Standing
  readonly capabilities: ReadonlyMap<string, Standing>
  readonly moved: readonly KeptMovement[]
  readonly pin: TrustPin | undefined
}

/** The fold of a ledger. */
export interface PeerBook {
  readonly size: number
  get(peer: string): PeerPage | undefined
  /** Folds one record; the same records in the same order give the same book. */
  fold(record: LedgerRecord): void
}

interface MutablePage {
  overall: Standing
  readonly capabilities: Map<string, Standing>
  readonly moved: KeptMovement[]
  pin: TrustPin | undefined
}

/** Creates an empty book. */
export function createPeerBook(): PeerBook {
  const pages = new Map<string, MutablePage>()
  const pageOf = (peer: string, start: number, atMs: number): MutablePage => {
    const known = pages.get(peer)
    if (known !== undefined) return known
    const page = { overall: createStanding(start, atMs), capabilities: new Map(), moved: [], pin: undefined }
    pages.set(peer, page)
    return page
  }
  return {
    get size() {
      return pages.size
    },
    get: (peer) => pages.get(peer),
    fold(record) {
      const { peer, atMs } = record.kind === 'pin' ? record.pin : record.evidence
      const page = pageOf(peer, record.start ?? 0, atMs)
      if (record.kind === 'pin') page.pin = record.pin
      else foldEvidence(page, record.evidence)
    },
  }
}

function foldEvidence(page: MutablePage, evidence: Evidence): void {
  const row = rowOf(evidence)
  if (row === undefined) return
  const { atMs, capability } = evidence
  // A capability that is seen for the first time starts from what is known of the peer.
  const before = page.capabilities.get(capability) ?? page.overall
  if (page.capabilities.has(capability) || page.capabilities.size < maxCapabilitiesPerPeer) {
    page.capabilities.set(capability, observeOutcome(before, row, atMs))
  }
  const overall = observeOutcome(page.overall, row, atMs)
  const incident = row.fault && overall.faultsInARow % faultsPerIncident === 0
  page.moved.push({
    evidence,
    faults: incident ? overall.faultsInARow : 0,
    atMs,
    before: scoreAt(page.overall, overall.atMs),
    after: scoreAt(overall, overall.atMs),
  })
  if (page.moved.length > keptMovements) page.moved.shift()
  page.overall = overall
}
