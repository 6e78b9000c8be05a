import { MeshError } from '@parley/protocol'

/** Where an append stands in its stream: position of its first entry. */
export const positionHeader = 'Parley-Position'
/** Bytes of each entry, where an append has another number of them than one. */
export const sizesHeader = 'Parley-Sizes'

/** In an append that took everything before it away: that its first position is not 1 is no gap. */
export const compactedHeader = 'Parley-Compacted'

/** The entries of one append as one message: all of them are stored, or none. */
export interface EntryFrame {
  readonly firstPosition: number
  readonly entries: readonly Uint8Array[]
  /** Nothing before it is kept. */
  readonly isFirst: boolean
}

/** Headers and payload of a message. */
export interface FramedMessage {
  readonly headers: Readonly<Record<string, string>>
  readonly data: Uint8Array
}

/** Writes an append. The payload shares no memory with the entries: the caller may use its buffers again. */
export function encodeEntryFrame({ firstPosition, entries, isFirst }: EntryFrame): FramedMessage {
  const sizes = entries.map(({ length }) => length)
  const data = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0))
  let offset = 0
  for (const entry of entries) {
    data.set(entry, offset)
    offset += entry.length
  }
  const rollup = firstPosition > 1 && isFirst ? { [compactedHeader]: '1', 'Nats-Rollup': 'sub' } : {}
  const headers = { [positionHeader]: String(firstPosition), ...rollup }
  return { headers: entries.length === 1 ? headers : { ...headers, [sizesHeader]: sizes.join(',') }, data }
}

/** Reads an append. Throws `store.corrupt` for a message that this package did not write, or not so. */
export function decodeEntryFrame(stream: string, header: (name: string) => string, data: Uint8Array): EntryFrame {
  const firstPosition = parseWhole(header(positionHeader))
  const listed = header(sizesHeader)
  const sizes = listed === '' ? [data.length] : listed.split(',').map(parseWhole)
  const entries: Uint8Array[] = []
  let offset = 0
  for (const size of sizes) {
    entries.push(data.slice(offset, offset + size))
    offset += size
  }
  if (firstPosition >= 1 && offset === data.length)
    return { firstPosition, entries, isFirst: firstPosition === 1 || header(compactedHeader) === '1' }
  throw new MeshError('store.corrupt', `A message of the stream ${stream} is no append; who else writes there?`, {
    details: { stream },
  })
}

/** Reads a whole number as it is written here; NaN for anything else. */
export function parseWhole(text: string): number {
  return /^(?:0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN
}
