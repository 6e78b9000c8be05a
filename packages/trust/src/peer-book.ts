import { createMovementSlab, packChange, packNames } from './movement.ts'
import { createNameTable } from './name-table.ts'
import { createOwnerBook, type OwnerBook } from './owner-book.ts'
import { agentOf } from './peer-key.ts'
import type { FoldPlace, PeerPage } from './peer-page.ts'
import type { Sight } from './sight.ts'
import { createStandingChains, type StandingPlace } from './standing-chain.ts'
import { cell, foldSight, read, standingCells, startStanding, type RunningMs } from './standing.ts'
import type { TrustModel } from './trust-model.ts'

/** A piece of evidence as it is folded. */
export interface FoldItem extends FoldPlace {
  readonly capability: string
  readonly sight: Sight
  /** Told by a rater of another owner: it moves what that rater has to say, not the score. */
  readonly isHearsay: boolean
}

/** A standing by its name: empty for overall, a capability, or `from <agent>`. */
export interface NamedStanding extends StandingPlace {
  readonly name: string
}

/**
 * The fold of a ledger, for the peers that are in memory.
 *
 * I1 The same evidence in the same order gives the same pages.
 * I2 It never grows by itself: `add` and `restore` put a peer in, `remove` and `evict` take one out.
 */
export interface PeerBook {
  size(): number
  /** Names the peers that are in memory. */
  peers(): readonly string[]
  /** How many pages changed since they were written last. */
  changedCount(): number
  /** Returns the handle of a peer; undefined if it is not in memory. */
  find(peer: string): number | undefined
  /** Tells whether a capability was folded before. */
  knowsCapability(capability: string): boolean
  /** Where a newcomer starts, which starts where its owner's other names are, if that is below `start`. */
  startOf(peer: string, start: number): number
  add(peer: string, start: number, atMs: number): number
  /** Puts a page in; the peer must not be there. */
  restore(page: PeerPage): number
  /** Takes a peer out of memory. */
  remove(peer: string): void
  /** Puts a peer back to an earlier page, or to before its first evidence, so that it is folded again. */
  rewind(peer: string, page: PeerPage | undefined): void
  /** Where a peer started of whom nothing counts yet but the words of others; undefined once something does. */
  pendingStart(handle: number): number | undefined
  /** Tells whether nothing was folded of a peer yet. */
  isFresh(handle: number): boolean
  /** Folds what comes next. */
  fold(peer: string, handle: number, item: FoldItem): void
  overall(handle: number): StandingPlace
  /** Returns the standing for a capability; undefined if it is not scored apart. */
  ofCapability(handle: number, capability: string): StandingPlace | undefined
  standings(handle: number): readonly NamedStanding[]
  folded(handle: number): FoldPlace
  page(peer: string, handle: number): PeerPage
  /** Gives the peers whose pages changed, once each. They stay until their pages are written. */
  takeChanged(): readonly string[]
  /** Returns the page of a changed peer as it is now. */
  beginWrite(peer: string): PeerPage | undefined
  /** Says that the page is kept; or that it is not, and has changed still. */
  endWrite(peer: string, isWritten: boolean): void
  /** Lets the peer go that was used least of those whose pages are kept; false if there is none. */
  evict(): boolean
  readonly owners: OwnerBook
  /** Numbers owners: what the book of owners knows them by. */
  ownerOf(peer: string): number
}

/** The name of what a rater of another owner told. */
export const hearsayPrefix = 'from '

/** What a rater has to say of a peer before it told anything. */
const hearsayStart = 500

/** Raters of other owners that have a word about one peer: they must not take the place of its capabilities. */
const maxHearsayPerPeer = 16

const base = standingCells + 2
/** What the book notes in the first row of a peer. */
const noted = {
  foldedAtMs: base,
  foldedSeq: base + 1,
  foldedRater: base + 2,
  owner: base + 3,
  movedRow: base + 4,
  movedCount: base + 5,
  change: base + 6,
  isUsed: base + 7,
} as const

/** Whether a page differs from the one that is kept. */
const change = { none: 0, changed: 1, beingWritten: 2 } as const

const maxNames = 65_536

/** Creates an empty book. */
export function createPeerBook(model: TrustModel, runningMs: RunningMs): PeerBook {
  const handles = new Map<string, number>()
  const chains = createStandingChains(8)
  const moved = createMovementSlab()
  const names = createNameTable(maxNames)
  const raters = createNameTable(maxNames)
  const ownerNumbers = new Map<string, number>()
  const owners = createOwnerBook()
  let changed: string[] = []
  let lastRater = ''
  let lastRaterNumber = 0
  names.intern('')

  /** Nearly always the same one. */
  const numberOfRater = (rater: string): number => {
    if (rater !== lastRater) {
      lastRater = rater
      lastRaterNumber = Math.max(0, raters.intern(rater))
    }
    return lastRaterNumber
  }

  const ownerOf = (peer: string): number => {
    const owner = peer.slice(0, Math.max(0, peer.indexOf(' ')))
    const known = ownerNumbers.get(owner)
    if (known !== undefined) return known
    ownerNumbers.set(owner, ownerNumbers.size)
    return ownerNumbers.size - 1
  }
  const enter = (peer: string): number => {
    const handle = chains.begin()
    handles.set(peer, handle)
    const { cells, at } = chains.place(handle)
    cells[at + noted.owner] = ownerOf(peer)
    cells[at + noted.isUsed] = 1
    return handle
  }
  const book: PeerBook = {
    owners,
    ownerOf,
    peers: () => [...handles.keys()],
    size: () => handles.size,
    changedCount: () => changed.length,
    find(peer) {
      const handle = handles.get(peer)
      if (handle === undefined) return undefined
      const { cells, at } = chains.place(handle)
      cells[at + noted.isUsed] = 1
      return handle
    },
    knowsCapability: (capability) => names.find(capability) >= 0,
    startOf: (peer, start) => owners.startOf(ownerOf(peer), start),
    add(peer, start, atMs) {
      const handle = enter(peer)
      const { cells, at } = chains.place(handle)
      startStanding(cells, at, start, atMs)
      cells[at + noted.foldedAtMs] = -1
      return handle
    },
    restore(page) {
      const handle = enter(page.peer)
      const [first, ...rest] = page.standings
      const head = chains.place(handle)
      head.cells.set(first?.cells ?? [], head.at)
      for (const { name, cells } of rest.toReversed()) {
        const row = chains.add(handle, names.intern(name))
        if (row === undefined) continue
        const own = chains.place(row)
        own.cells.set(cells, own.at)
      }
      head.cells[head.at + noted.foldedAtMs] = page.folded.atMs
      head.cells[head.at + noted.foldedSeq] = page.folded.seq
      head.cells[head.at + noted.foldedRater] = raters.intern(page.folded.rater)
      for (const [count, movement] of page.moved.entries()) {
        const row = rowOfMoved(head, count)
        const { atMs, seq, before, after, kind, faults, capability, rater } = movement
        const named = packNames(names.intern(capability), Math.max(0, raters.intern(rater)))
        moved.push(row, count, atMs, seq, packChange(before, after, kind, faults), named)
      }
      head.cells[head.at + noted.movedCount] = page.moved.length
      return handle
    },
    remove(peer) {
      const handle = handles.get(peer)
      if (handle === undefined) return
      const { cells, at } = chains.place(handle)
      const row = read(cells, at + noted.movedRow)
      if (row > 0) moved.give(row - 1)
      chains.end(handle)
      handles.delete(peer)
    },
    rewind(peer, page) {
      const live = countedScore(handles.get(peer))
      book.remove(peer)
      owners.move(ownerOf(peer), live, countedScore(page && book.restore(page)))
    },
    fold(peer, handle, { atMs, rater, seq, capability, sight, isHearsay }) {
      const head = chains.place(handle)
      const { cells, at } = head
      const raterNumber = numberOfRater(rater)
      const name = isHearsay
        ? names.intern(hearsayPrefix + agentOf(rater))
        : sight.opensCapability
          ? names.intern(capability)
          : names.find(capability)
      const row = chains.find(handle, name) ?? (sight.opensCapability ? open(handle, name, isHearsay, atMs) : undefined)
      if (row !== undefined) {
        const own = chains.place(row)
        foldSight(model, own.cells, own.at, sight, atMs, runningMs)
      }
      if (!isHearsay) {
        const isNew = read(cells, at + cell.evidenceCount) === 0
        const before = read(cells, at + cell.score)
        const faults = foldSight(model, cells, at, sight, atMs, runningMs)
        const after = read(cells, at + cell.score)
        const count = read(cells, at + noted.movedCount)
        const changed = packChange(before, after, sight.kind, faults)
        moved.push(rowOfMoved(head, count), count, atMs, seq, changed, packNames(name, raterNumber))
        cells[at + noted.movedCount] = count + 1
        owners.move(read(cells, at + noted.owner), isNew ? undefined : before, after)
      }
      cells[at + noted.foldedAtMs] = atMs
      cells[at + noted.foldedSeq] = seq
      cells[at + noted.foldedRater] = raterNumber
      markChanged(peer, handle)
    },
    pendingStart(handle) {
      const { cells, at } = chains.place(handle)
      return read(cells, at + cell.evidenceCount) === 0 ? read(cells, at + cell.start) : undefined
    },
    isFresh(handle) {
      const { cells, at } = chains.place(handle)
      return read(cells, at + noted.foldedAtMs) < 0
    },
    overall: chains.place,
    ofCapability(handle, capability) {
      const row = chains.find(handle, names.find(capability))
      return row === undefined ? undefined : chains.place(row)
    },
    standings: (handle) =>
      chains.rows(handle).map(({ row, name }) => ({ ...chains.place(row), name: names.nameOf(name) })),
    folded(handle) {
      const { cells, at } = chains.place(handle)
      return {
        atMs: read(cells, at + noted.foldedAtMs),
        rater: raters.nameOf(read(cells, at + noted.foldedRater)),
        seq: read(cells, at + noted.foldedSeq),
      }
    },
    page(peer, handle) {
      const { cells, at } = chains.place(handle)
      const row = read(cells, at + noted.movedRow)
      const movements = row === 0 ? [] : moved.list(row - 1, read(cells, at + noted.movedCount))
      return {
        peer,
        folded: book.folded(handle),
        standings: book.standings(handle).map((standing) => ({
          name: standing.name,
          cells: [...standing.cells.subarray(standing.at, standing.at + standingCells)],
        })),
        moved: movements.map((movement) => ({
          ...movement,
          capability: names.nameOf(movement.capability),
          rater: raters.nameOf(movement.rater),
        })),
      }
    },
    takeChanged() {
      const taken = [...new Set(changed)].filter((peer) => handles.has(peer))
      changed = []
      return taken
    },
    beginWrite(peer) {
      const handle = handles.get(peer)
      if (handle === undefined) return undefined
      const { cells, at } = chains.place(handle)
      cells[at + noted.change] = change.beingWritten
      return book.page(peer, handle)
    },
    endWrite(peer, isWritten) {
      const handle = handles.get(peer)
      if (handle === undefined) return
      const { cells, at } = chains.place(handle)
      if (!isWritten) cells[at + noted.change] = change.none
      if (!isWritten) markChanged(peer, handle)
      else if (read(cells, at + noted.change) === change.beingWritten) cells[at + noted.change] = change.none
    },
    evict() {
      // Once around, whoever was used since the last time stays.
      for (let left = handles.size * 2; left > 0; left--) {
        const [peer, handle] = handles.entries().next().value ?? []
        if (peer === undefined || handle === undefined) return false
        const { cells, at } = chains.place(handle)
        if (read(cells, at + noted.isUsed) === 0 && read(cells, at + noted.change) === change.none) {
          book.remove(peer)
          return true
        }
        cells[at + noted.isUsed] = 0
        handles.delete(peer)
        handles.set(peer, handle)
      }
      return false
    },
  }
  /** A capability that is seen for the first time starts from what is known of the peer, hearsay from nothing. */
  const open = (handle: number, name: number, isHearsay: boolean, atMs: number): number | undefined => {
    if (isHearsay && countHearsay(handle) >= maxHearsayPerPeer) return undefined
    const row = chains.add(handle, name)
    if (row === undefined) return undefined
    const own = chains.place(row)
    const head = chains.place(handle)
    if (isHearsay) startStanding(own.cells, own.at, hearsayStart, atMs)
    else own.cells.set(head.cells.subarray(head.at, head.at + standingCells), own.at)
    return row
  }
  const markChanged = (peer: string, handle: number): void => {
    const { cells, at } = chains.place(handle)
    if (read(cells, at + noted.change) === change.changed) return
    cells[at + noted.change] = change.changed
    changed.push(peer)
  }
  const countHearsay = (handle: number): number =>
    chains.rows(handle).filter(({ name }) => names.nameOf(name).startsWith(hearsayPrefix)).length
  const countedScore = (handle: number | undefined): number | undefined => {
    if (handle === undefined) return undefined
    const { cells, at } = chains.place(handle)
    return read(cells, at + cell.evidenceCount) === 0 ? undefined : read(cells, at + cell.score)
  }
  const rowOfMoved = ({ cells, at }: StandingPlace, count: number): number => {
    if (count === 0 && read(cells, at + noted.movedRow) === 0) cells[at + noted.movedRow] = moved.take() + 1
    return read(cells, at + noted.movedRow) - 1
  }
  return book
}
