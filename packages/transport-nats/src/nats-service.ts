import { operationsInboxPrefix } from '@parley/protocol'

// The NATS services API (ADR-32): https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-32.md
// I1 An answer goes to the operations inbox or nowhere: any other reply subject that a question brought is left alone (T44).

/** What a service tells of one endpoint. */
export interface NatsEndpoint {
  /** Letters, digits, `-` and `_`. */
  readonly name: string
  readonly subject: string
  readonly metadata: Readonly<Record<string, string>>
  readonly requests: number
  readonly errors: number
  /** Milliseconds spent on all requests together. */
  readonly processingMs: number
  /** The code of the last error, or nothing. */
  readonly lastError: string
}

/** What an instance tells whoever asks the NATS services API, for instance `nats micro ls`. */
export interface NatsService {
  /** Letters, digits, `-` and `_`: a `/` is not permitted. */
  readonly name: string
  readonly id: string
  /** A semantic version. */
  readonly version: string
  readonly description: string
  readonly metadata: Readonly<Record<string, string>>
  /** Wall-clock milliseconds. */
  readonly startedAtMs: number
  readonly endpoints: readonly NatsEndpoint[]
}

const verbs = ['PING', 'INFO', 'STATS'] as const

/** One of the questions of the services API. */
export type NatsServiceVerb = (typeof verbs)[number]

const nanosecondsPerMs = 1_000_000

/** Lists the subjects on which questions to a service come: to all, to its name, and to it alone. */
export function listServiceSubjects({
  name,
  id,
}: Pick<NatsService, 'name' | 'id'>): readonly (readonly [subject: string, verb: NatsServiceVerb])[] {
  return verbs.flatMap((verb) =>
    [`$SRV.${verb}`, `$SRV.${verb}.${name}`, `$SRV.${verb}.${name}.${id}`].map((subject) => [subject, verb] as const),
  )
}

/** Tells whether an answer may be sent to the reply subject of a question. */
export function isOperationsInbox(reply: string | undefined): reply is string {
  return reply?.startsWith(operationsInboxPrefix) === true && reply.length <= 256 && /^[\w-]+(?:\.[\w-]+)+$/.test(reply)
}

/** Writes the answer to a question, in the schema of its verb. */
export function formatServiceAnswer(verb: NatsServiceVerb, service: NatsService): string {
  const { name, id, version, metadata, description, startedAtMs, endpoints } = service
  const head = { name, id, version, metadata }
  switch (verb) {
    case 'PING':
      return JSON.stringify({ type: 'io.nats.micro.v1.ping_response', ...head })
    case 'INFO':
      return JSON.stringify({
        type: 'io.nats.micro.v1.info_response',
        ...head,
        description,
        endpoints: endpoints.map((each) => ({
          name: each.name,
          subject: each.subject,
          queue_group: '',
          metadata: each.metadata,
        })),
      })
    case 'STATS':
      return JSON.stringify({
        type: 'io.nats.micro.v1.stats_response',
        ...head,
        started: new Date(startedAtMs).toISOString(),
        endpoints: endpoints.map(formatStats),
      })
  }
}

function formatStats(endpoint: NatsEndpoint): object {
  const { name, subject, requests, errors, processingMs, lastError } = endpoint
  const processing = Math.round(processingMs * nanosecondsPerMs)
  return {
    name,
    subject,
    queue_group: '',
    num_requests: requests,
    num_errors: errors,
    last_error: lastError,
    processing_time: processing,
    average_processing_time: requests === 0 ? 0 : Math.round(processing / requests),
  }
}
