import { MeshError } from '@parley/protocol'
import type { SagaEvent } from '../kernel/saga-event.ts'

type Check = (value: unknown) => boolean
type Fields = Readonly<Record<string, Check>>

const text: Check = (value) => typeof value === 'string'
const number: Check = (value) => typeof value === 'number'
const texts: Check = (value) => Array.isArray(value) && value.every(text)
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)
const record =
  (fields: Fields): Check =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.entries(fields).every(([name, check]) => check((value as Readonly<Record<string, unknown>>)[name]))

const line = record({ header: record({}), credential: text, commitment: text, proof: text })
const command = { phase: text, attempt: number, epoch: number }

/** What must be there of each event for it to be read at all. Bodies may be apart. */
const shapes: Readonly<Record<SagaEvent['type'], Fields>> = {
  started: {
    id: text,
    owner: text,
    definition: record({ name: text, version: number, fingerprint: text }),
    expiresAtMs: number,
    trace: text,
    delegation: maybe(texts),
    key: maybe(text),
  },
  sealed: {},
  owned: { instance: text, epoch: number },
  intended: { step: text, attempt: number, epoch: number, key: text, provider: text },
  'provider-skipped': { step: text, provider: text, code: text },
  deferred: { step: text, code: text, untilMs: number },
  committed: { step: text, by: text },
  declined: { step: text, by: text, error: record({ name: text }) },
  refused: { step: text, code: text },
  failed: { step: text, code: text },
  unknown: { step: text, code: text },
  'looked-up': { step: text, found: text, retryAtMs: number },
  'undo-intended': { step: text, attempt: number, epoch: number },
  undone: { step: text, by: text },
  closed: { step: text, code: maybe(text) },
  sent: { step: text, ...command, leaf: text, instance: text },
  receipt: {
    step: text,
    phase: text,
    attempt: number,
    command: maybe(line),
    answer: line,
    opened: maybe(
      record({
        command: maybe(record({ salt: text })),
        answer: maybe(record({ salt: text, record: maybe(number), body: maybe(text) })),
      }),
    ),
  },
  accepted: { step: text, attempt: number },
  stalled: { step: text, code: text },
  'awaiting-version': { version: number },
  turned: { code: text, step: maybe(text) },
  completed: {},
  compensated: {},
  aborted: {},
  stuck: {},
  queued: { behind: text },
  authorised: { delegation: texts },
  decided: { decision: text, reason: text, by: text, declaration: maybe(text), about: maybe(text) },
  'wait-opened': { wait: text, untilMs: maybe(number) },
  signalled: { wait: text, by: maybe(text) },
  'wait-ended': { wait: text },
}

/** Throws `saga.journal-corrupt` for an event that no writer of this format wrote: a file is anybody's. */
export function assertEventShape(event: SagaEvent): void {
  if (record(shapes[event.type])(event)) return
  throw new MeshError('saga.journal-corrupt', `the event "${event.type}" lacks a field, or has one that is none`)
}
