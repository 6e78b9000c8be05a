import type { SagaEvent } from '../kernel/saga-event.ts'

/** Where a body stands in an event: a field, or a field within one. */
interface BodyPath {
  readonly path: string
  readonly outer: string
  readonly inner?: string
}

const input: BodyPath = { path: 'input', outer: 'input' }
const output: BodyPath = { path: 'output', outer: 'output' }

/** What users put into a saga, as paths into the events that carry it; all else of an event is the saga's own. */
const bodyPaths: Readonly<Partial<Record<SagaEvent['type'], readonly BodyPath[]>>> = {
  started: [input],
  intended: [input],
  committed: [output],
  completed: [output],
  signalled: [{ path: 'value', outer: 'value' }],
  declined: [{ path: 'error.details', outer: 'error', inner: 'details' }],
  receipt: [{ path: 'opened', outer: 'opened' }],
  // The declaration of a human says the output, too, in the words that were signed.
  decided: [output, { path: 'declaration', outer: 'declaration' }],
}

type Fields = Readonly<Record<string, unknown>>

/** Takes the bodies out of an event, by path; most events have none. Where one was, undefined is left: no text of it has that. */
export function takeBodies(event: SagaEvent): { readonly event: SagaEvent; readonly bodies?: Fields } {
  const paths = bodyPaths[event.type]
  if (!paths) return { event }
  let bodies: Record<string, unknown> | undefined
  let rest = event as unknown as Fields
  for (const { path, outer, inner } of paths) {
    const body = inner === undefined ? rest[outer] : (rest[outer] as Fields)[inner]
    if (body === undefined) continue
    bodies ??= {}
    bodies[path] = body
    rest = { ...rest, [outer]: inner === undefined ? undefined : { ...(rest[outer] as Fields), [inner]: undefined } }
  }
  return bodies ? { event: rest as unknown as SagaEvent, bodies } : { event }
}

/** Puts bodies back where they were taken from. */
export function putBodies(event: SagaEvent, bodies: Fields): SagaEvent {
  let whole: Fields = { ...event }
  for (const [path, body] of Object.entries(bodies)) {
    const [outer = '', inner] = path.split('.')
    whole = { ...whole, [outer]: inner === undefined ? body : { ...(whole[outer] as Fields), [inner]: body } }
  }
  return whole as unknown as SagaEvent
}

/** Tells whether a path is one that bodies are taken from. */
export function isBodyPath(type: SagaEvent['type'], path: string): boolean {
  return bodyPaths[type]?.some((body) => body.path === path) ?? false
}
