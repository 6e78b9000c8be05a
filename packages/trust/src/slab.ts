/** Rows of equally many numbers, by number, in chunks: growing copies nothing. */
export interface Slab {
  /** Gives a row, all of it 0. */
  take(): number
  /** Takes a row back. */
  give(row: number): void
  /** Returns the chunk that holds a row. */
  cellsOf(row: number): Float64Array
  /** Returns where in that chunk the row begins. */
  offsetOf(row: number): number
}

const chunkBits = 10
const rowsPerChunk = 1 << chunkBits
const rowMask = rowsPerChunk - 1

/** Creates a slab of rows with `width` cells. */
export function createSlab(width: number): Slab {
  const chunks: Float64Array[] = []
  const free: number[] = []
  let count = 0
  const cellsOf = (row: number): Float64Array => {
    const chunk = chunks[row >>> chunkBits]
    if (chunk === undefined) throw new RangeError(`row ${String(row)} was never given`)
    return chunk
  }
  const offsetOf = (row: number): number => (row & rowMask) * width
  return {
    cellsOf,
    offsetOf,
    take() {
      const known = free.pop()
      if (known !== undefined) {
        cellsOf(known).fill(0, offsetOf(known), offsetOf(known) + width)
        return known
      }
      if (count >>> chunkBits === chunks.length) chunks.push(new Float64Array(rowsPerChunk * width))
      return count++
    },
    give(row) {
      free.push(row)
    },
  }
}
