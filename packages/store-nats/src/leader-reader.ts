import type { JetStreamManager, MsgRequest, StoredMsg } from '@nats-io/jetstream'
import { MeshError } from '@parley/protocol'
import type { JetLink } from './jet-link.ts'
import type { StreamLayout } from './stream-layout.ts'
import { formatPrefixPattern, parseStoreSubject } from './store-subject.ts'

// I1 Every read is answered by the leader of the stream; direct get may be answered by a server that lags (T25).

/** A message as its stream keeps it. */
export interface StoredMessage {
  readonly subject: string
  readonly sequence: number
  /** A header's value; empty if there is none. */
  readonly header: (name: string) => string
  readonly data: Uint8Array
}

/** Reads one stream. Every call rejects with `store.unavailable` where the broker does not answer. */
export interface LeaderReader {
  /** The newest message of a subject. */
  last(subject: string): Promise<StoredMessage | undefined>
  /** The first message of a subject at or after a sequence. */
  next(subject: string, fromSequence: number): Promise<StoredMessage | undefined>
  /** The message at a sequence; none is at 0. */
  at(sequence: number): Promise<StoredMessage | undefined>
  /** The sequence of the newest message; 0 for an empty stream. */
  lastSequence(): Promise<number>
  /** Names that have a message and start with `prefix`, in code-unit order. */
  names(prefix: string): Promise<readonly string[]>
}

/** Creates the reader of a stream. */
export function createLeaderReader(link: JetLink, manager: JetStreamManager, layout: StreamLayout): LeaderReader {
  const { stream, root } = layout
  const get = async (query: MsgRequest): Promise<StoredMessage | undefined> => {
    const found = await link.ask(`The stream ${stream} cannot be read`, () => manager.streams.getMessage(stream, query))
    return found ? view(found) : undefined
  }
  return {
    last: (subject) => get({ last_by_subj: subject }),
    next: (subject, fromSequence) => {
      // The broker takes both together; the client's type knows them only for direct get.
      const query = { seq: fromSequence, next_by_subj: subject }
      return get(query)
    },
    at: async (sequence) => (sequence === 0 ? undefined : get({ seq: sequence })),
    async lastSequence() {
      const { state } = await link.ask(`The stream ${stream} cannot be read`, () => manager.streams.info(stream))
      return state.last_seq
    },
    async names(prefix) {
      const { state } = await link.ask(`The stream ${stream} cannot be read`, () =>
        manager.streams.info(stream, { subjects_filter: formatPrefixPattern(root, prefix) }),
      )
      const names = Object.keys(state.subjects ?? {}).map((subject) => nameOf(subject))
      return names.filter((name) => name.startsWith(prefix)).sort()
    },
  }

  function nameOf(subject: string): string {
    const name = parseStoreSubject(root, subject)
    if (name !== undefined) return name
    throw new MeshError('store.corrupt', `The subject ${subject} is no name of a store; who else writes to ${stream}?`)
  }
}

function view(message: StoredMsg): StoredMessage {
  const { subject, seq, header, data } = message
  return { subject, sequence: seq, header: (name) => header.get(name), data }
}
