import { createSlab } from './slab.ts'
import { read, standingCells } from './standing.ts'

/** A standing where it lies. */
export interface StandingPlace {
  readonly cells: Float64Array
  readonly at: number
}

/** The standings of peers: a chain each, whose first row is its handle. */
export interface StandingChains {
  /** Begins a chain and returns its handle. Its first standing has the name 0. */
  begin(): number
  /** Adds a standing of a name behind the first; undefined if the chain is full or the name has no number. */
  add(handle: number, name: number): number | undefined
  find(handle: number, name: number): number | undefined
  /** Lists the rows of a chain with their names' numbers, the first one first. */
  rows(handle: number): readonly { readonly row: number; readonly name: number }[]
  place(row: number): StandingPlace
  end(handle: number): void
}

/** How many standings of one peer are kept beside the overall one; further capabilities have the overall score. */
const maxStandingsPerPeer = 64

/** What a standing has after its own cells. */
const link: { readonly name: number; readonly next: number } = {
  /** Number of its name. */
  name: standingCells,
  /** The row of the next standing, plus one; 0 at the end. */
  next: standingCells + 1,
}

/** Creates chains whose rows have `extraCells` more, for what their owner notes. They begin at `standingCells + 2`. */
export function createStandingChains(extraCells: number): StandingChains {
  const slab = createSlab(standingCells + 2 + extraCells)
  const nextOf = (row: number): number => read(slab.cellsOf(row), slab.offsetOf(row) + link.next) - 1
  const nameOf = (row: number): number => read(slab.cellsOf(row), slab.offsetOf(row) + link.name)
  return {
    begin: slab.take,
    add(handle, name) {
      let length = 0
      for (let row = nextOf(handle); row >= 0; row = nextOf(row)) length++
      if (name < 0 || length >= maxStandingsPerPeer) return undefined
      const row = slab.take()
      slab.cellsOf(row)[slab.offsetOf(row) + link.name] = name
      slab.cellsOf(row)[slab.offsetOf(row) + link.next] = nextOf(handle) + 1
      slab.cellsOf(handle)[slab.offsetOf(handle) + link.next] = row + 1
      return row
    },
    find(handle, name) {
      for (let row = handle; row >= 0; row = nextOf(row)) if (nameOf(row) === name) return row
      return undefined
    },
    rows(handle) {
      const rows = []
      for (let row = handle; row >= 0; row = nextOf(row)) rows.push({ row, name: nameOf(row) })
      return rows
    },
    place: (row) => ({ cells: slab.cellsOf(row), at: slab.offsetOf(row) }),
    end(handle) {
      for (let row = handle; row >= 0;) {
        const next = nextOf(row)
        slab.give(row)
        row = next
      }
    },
  }
}
