import type { PolicyPeer } from '../policy-input.ts'
import { ringOf } from '../ring.ts'
import { toBodyValue } from './body-value.ts'
import { recordTypes } from './environment.ts'
import { Failure } from './failure.ts'
import { readBody, readObjective, type HopView } from './hop-view.ts'
import { hourOf, weekdayOf } from './time-of-day.ts'

/** The variables of one decision, as the CEL library reads them. */
export type Activation = Readonly<Record<string, unknown>>

/** Throws what a condition that reads a part that failed must fail with. */
export class FailedPart extends Error {
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.problem)
    this.failure = failure
  }
}

/** Lays out a hop for conditions that the library evaluates. */
export function activationOf(view: HopView): Activation {
  return (view.activation ??= createActivation(view))
}

function createActivation(view: HopView): Activation {
  const { input } = view
  const { nowMs } = input.time
  let body: unknown
  return {
    action: input.action,
    direction: input.direction,
    phase: input.phase,
    risk: input.risk,
    caller: record('caller', withRing(input.caller)),
    callee: record('callee', withRing(input.callee)),
    peer: record('peer', withRing(view.peer)),
    onBehalfOf: input.onBehalfOf,
    labels: input.labels,
    obligations: input.obligations,
    delegation: record('delegation', {
      ...input.delegation,
      constraints: toBodyValue(input.delegation.constraints),
      left: toBodyValue(input.delegation.left),
    }),
    hop: record('hop', input.hop),
    saga: record('saga', input.saga),
    time: record('time', { nowMs, hour: hourOf(nowMs), weekday: weekdayOf(nowMs) }),
    get objective() {
      const read = readObjective(view)
      if (read instanceof Failure) throw new FailedPart(read)
      return record('objective', read)
    },
    get body() {
      const read = readBody(view)
      if (read instanceof Failure) throw new FailedPart(read)
      return (body ??= toBodyValue(read))
    },
  }
}

function withRing(peer: PolicyPeer): PolicyPeer & { readonly ring: number } {
  return { ...peer, ring: ringOf(peer) }
}

function record(name: string, source: object): object {
  const type = recordTypes.get(name)
  if (type === undefined) throw new TypeError(`the input schema has no record ${name}`)
  return new type(source as Readonly<Record<string, unknown>>)
}
