import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { MeshError } from '@parley/protocol'

/** A journal entry as it stands in its row. */
export interface PackedEntry {
  readonly data: Uint8Array
  /** Bytes of the entry where `data` is a Zstandard frame (RFC 8878) of it; 0 where `data` is the entry itself. */
  readonly size: number
}

/**
 * Below this many bytes packing costs more time than writing what it saves: each frame makes a context of its own. What a log
 * writes at once is above it, what a saga writes is below.
 */
const minPackedBytes = 4_096

/**
 * The journals of a log are the same names and keys over and over: packed they are a quarter, and writing a byte costs many
 * times what packing it does. A level below zero is the fastest kind, and nearly as small here.
 */
const options = { params: { [constants.ZSTD_c_compressionLevel]: -3 } }

/** Packs an entry. The result shares no memory with it: the caller may use its buffer again. */
export function packEntry(entry: Uint8Array): PackedEntry {
  if (entry.length >= minPackedBytes) {
    const data = zstdCompressSync(entry, options)
    if (data.length < entry.length) return { data, size: entry.length }
  }
  // Out of Node's pool, which is cheaper than memory of its own.
  const copy = Buffer.from(entry)
  return { data: new Uint8Array(copy.buffer, copy.byteOffset, copy.byteLength), size: 0 }
}

/** Gives back the entry. Throws `store.corrupt` for a frame that does not hold what it should. */
export function unpackEntry({ data, size }: PackedEntry): Uint8Array {
  if (size === 0) return data
  try {
    const entry = zstdDecompressSync(data, { maxOutputLength: size })
    if (entry.length === size) return new Uint8Array(entry.buffer, entry.byteOffset, entry.byteLength)
  } catch (cause) {
    throw new MeshError('store.corrupt', 'A packed journal entry cannot be unpacked; restore the file.', { cause })
  }
  throw new MeshError('store.corrupt', 'A packed journal entry has another length than it had; restore the file.')
}
