import type { SagaEvent } from '../kernel/saga-event.ts'

/** What users put into a saga, as paths into the events that carry it; all else of an event is the saga's own. */
const paths: Readonly<Partial<Record<SagaEvent['type'], readonly string[]>>> = {
  started: ['input'],
  intended: ['input'],
  committed: ['output'],
  completed: ['output'],
  signalled: ['value'],
  declined: ['error.details'],
  receipt: ['opened'],
  // The declaration of a human says the output, too, in the words that were signed.
  decided: ['output', 'declaration'],
}

type Fields = Readonly<Record<string, unknown>>

/** Takes the bodies out of an event, by path; most events have none. */
export function takeBodies(event: SagaEvent): { readonly event: SagaEvent; readonly bodies?: Fields } {
  let bodies: Record<string, unknown> | undefined
  let rest: Fields = event as unknown as Fields
  for (const path of paths[event.type] ?? []) {
    const [outer = '', inner] = path.split('.')
    const holder = inner === undefined ? rest : (rest[outer] as Fields)
    const { [inner ?? outer]: body, ...others } = holder
    if (body === undefined) continue
    bodies = { ...bodies, [path]: body }
    rest = inner === undefined ? others : { ...rest, [outer]: others }
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
  return paths[type]?.includes(path) ?? false
}
