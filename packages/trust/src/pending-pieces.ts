import { pieceCells, type EvidencePieces } from './evidence-batch.ts'
import { createHandleNumbers, type HandleNumbers } from './handle-numbers.ts'
import type { Sight } from './sight.ts'

/** How many pieces a batch has at most. */
export const maxBatch = 1_000

/** Pieces of evidence that wait to be written, already as columns: a hop leaves no object behind. */
export interface PendingPieces {
  count(): number
  /** Adds a piece about a peer. `handle` finds the peer again; whose it is may change from piece to piece. */
  add(
    peer: string,
    handle: number,
    capability: string,
    sight: Sight,
    atMs: number,
    envelope: string,
    start: number | undefined,
  ): void
  /** Gives the columns, after which nothing is added. */
  pieces(): EvidencePieces
}

/** Creates what starts to gather a batch: one at a time, each ends the one before. */
export function createBatches(): () => PendingPieces {
  const numbers = createHandleNumbers(maxBatch)
  // Used again: fresh memory costs more than what is written into it.
  const free: Float64Array[] = []
  return () => {
    numbers.forget()
    const cells = free.pop() ?? new Float64Array(maxBatch * pieceCells)
    return startBatch(numbers, cells, () => free.push(cells))
  }
}

function startBatch(numbers: HandleNumbers, cells: Float64Array, giveBack: () => void): PendingPieces {
  const peers: string[] = []
  const capabilities = createColumn<string>()
  const sights = createColumn<Sight>()
  const starts: Record<string, number> = {}
  const envelopes: string[] = []
  let lastAtMs = 0
  let made: EvidencePieces | undefined
  const numberOf = (peer: string, handle: number): number => {
    const known = numbers.find(handle)
    if (known >= 0 && peers[known] === peer) return known
    const number = peers.push(peer) - 1
    numbers.give(handle, number)
    return number
  }
  return {
    count: () => envelopes.length,
    add(peer, handle, capability, sight, atMs, envelope, start) {
      const number = numberOf(peer, handle)
      const cell = envelopes.length * pieceCells
      cells[cell] = atMs - lastAtMs
      cells[cell + 1] = number
      cells[cell + 2] = capabilities.numberOf(capability)
      cells[cell + 3] = sights.numberOf(sight)
      lastAtMs = atMs
      envelopes.push(envelope)
      if (start !== undefined) starts[String(number)] = start
    },
    pieces() {
      if (made) return made
      const rows = [...cells.subarray(0, envelopes.length * pieceCells)]
      giveBack()
      made = {
        peers,
        capabilities: capabilities.list,
        sights: sights.list,
        rows,
        starts,
        envelopes: envelopes.join(' '),
      }
      return made
    },
  }
}

interface Column<Value> {
  readonly list: readonly Value[]
  numberOf(value: Value): number
}

function createColumn<Value>(): Column<Value> {
  const numbers = new Map<Value, number>()
  const list: Value[] = []
  // Mostly the same one comes again.
  let lastNumber = -1
  return {
    list,
    numberOf(value) {
      if (lastNumber >= 0 && list[lastNumber] === value) return lastNumber
      lastNumber = numbers.get(value) ?? list.push(value) - 1
      numbers.set(value, lastNumber)
      return lastNumber
    },
  }
}
