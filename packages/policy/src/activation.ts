import { toBodyValue } from './body-value.ts'
import { recordTypes } from './environment.ts'
import type { PolicyInput, PolicyPeer } from './policy-input.ts'
import { ringOf } from './ring.ts'

/** The variables of one decision, as conditions read them. */
export type Activation = Readonly<Record<string, unknown>>

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Lays out the input for conditions. The body is parsed when the first condition reads it, and once. */
export function createActivation(input: PolicyInput): Activation {
  const caller = record('caller', withRing(input.caller))
  const callee = record('callee', withRing(input.callee))
  const { nowMs } = input.time
  let body: { readonly value: unknown } | { readonly error: unknown } | undefined
  return {
    action: input.action,
    direction: input.direction,
    phase: input.phase,
    risk: input.risk,
    caller,
    callee,
    peer: record('peer', withRing(input.direction === 'inbound' ? input.caller : input.callee)),
    onBehalfOf: input.onBehalfOf,
    labels: input.labels,
    obligations: input.obligations,
    delegation: record('delegation', input.delegation),
    hop: record('hop', input.hop),
    saga: record('saga', input.saga),
    time: record('time', {
      nowMs,
      hour: Math.floor(nowMs / hourMs) % 24,
      // The epoch was a Thursday.
      weekday: (Math.floor(nowMs / dayMs) + 4) % 7,
    }),
    get objective() {
      return record('objective', input.objective())
    },
    get body() {
      body ??= readBody(input)
      if ('error' in body) throw body.error
      return body.value
    },
  }
}

function withRing(peer: PolicyPeer): PolicyPeer & { readonly ring: number } {
  return { ...peer, ring: ringOf(peer) }
}

function readBody(input: PolicyInput): { readonly value: unknown } | { readonly error: unknown } {
  try {
    return { value: toBodyValue(input.body()) }
  } catch (error) {
    return { error }
  }
}

function record(name: string, source: object): object {
  const type = recordTypes.get(name)
  if (type === undefined) throw new TypeError(`the input schema has no record ${name}`)
  return new type(source as Readonly<Record<string, unknown>>)
}
