import { MeshError } from '@parley/protocol'

/** Brings an event of one format to the next one. Pure: the bytes that the chain is of stay what they are. */
export type Upcaster = (event: unknown) => unknown

/** What a release reads: its own format, and every one before it that it has a way from. */
export interface JournalReader {
  readonly format: number
  /** By the format that each begins with. */
  readonly upcasters: Readonly<Record<number, Upcaster>>
}

/**
 * This release. In format 1 the bodies stood within the one line of an entry; its events are the same. The next format adds
 * the way from this one here, and journals recorded in it replay.
 */
export const journalReader: JournalReader = { format: 2, upcasters: { 1: (event) => event } }

/** Brings an event to the reader's format. Throws `saga.plan-unsupported` for one that is later, or that no way leads from. */
export function upcastEvent(format: unknown, event: unknown, position: number, reader: JournalReader): unknown {
  if (typeof format !== 'number' || !Number.isSafeInteger(format) || format > reader.format)
    throw unsupported(position, format, reader)
  let upcast = event
  for (let from = format; from < reader.format; from++) {
    const upcaster = reader.upcasters[from]
    if (!upcaster) throw unsupported(position, format, reader)
    upcast = upcaster(upcast)
  }
  return upcast
}

function unsupported(position: number, format: unknown, reader: JournalReader): MeshError {
  return new MeshError(
    'saga.plan-unsupported',
    `entry ${position} has the format ${String(format)}, and this release reads up to ${reader.format}: use the release that wrote it`,
  )
}
