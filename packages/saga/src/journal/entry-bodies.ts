import type { SagaEvent } from '../kernel/saga-event.ts'

/** Bodies of one event by field: what was put in, what came out, and what opens the commitments of a receipt. */
export type EntryBodies = Readonly<Record<string, unknown>>

/** An event as JSON has it. */
type Fields = Readonly<Record<string, unknown>>

/** Fields of events that hold what users send each other, and the salts that hide it. `details` are of a declared error. */
const bodyFields: ReadonlySet<string> = new Set(['input', 'output', 'value', 'opened'])

/** Takes the bodies of an event apart from what happened, so that they can be left out later and the chain still holds. */
export function splitBodies(event: SagaEvent): { readonly bare: Fields; readonly bodies?: EntryBodies } {
  let bodies: Record<string, unknown> | undefined
  const bare: Record<string, unknown> = {}
  const fields: Fields = { ...event }
  // A seal has digests in the place of bodies.
  if (event.type === 'sealed') return { bare: fields }
  for (const name in fields) {
    if (!bodyFields.has(name)) bare[name] = fields[name]
    else if (fields[name] !== undefined) (bodies ??= {})[name] = fields[name]
  }
  const { error } = bare as { readonly error?: Fields }
  if (error?.['details'] !== undefined) {
    bodies = { ...bodies, details: error['details'] }
    bare['error'] = { name: error['name'] }
  }
  return bodies ? { bare, bodies } : { bare }
}

/** Puts bodies back where they were. */
export function joinBodies(bare: Fields, { details, ...bodies }: EntryBodies): Fields {
  const { error } = bare as { readonly error?: Fields }
  return { ...bare, ...bodies, ...(error && details !== undefined && { error: { ...error, details } }) }
}
