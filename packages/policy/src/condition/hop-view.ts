import type { PolicyInput, PolicyObjective, PolicyPeer } from '../policy-input.ts'
import { findBodyProblem } from './body-bounds.ts'
import { Failure } from './failure.ts'

/**
 * One hop as all conditions of one decision read it: the lazy parts of the input are read when the first condition asks,
 * and once. Never shared between decisions.
 */
export interface HopView {
  readonly input: PolicyInput
  /** The side that is judged. */
  readonly peer: PolicyPeer
  /** What `readBody` found. */
  body: unknown
  objective: PolicyObjective | Failure | undefined
  /** What conditions see that are evaluated by the library. */
  activation: Readonly<Record<string, unknown>> | undefined
  /** What the loop that runs is at; loops do not nest. */
  item: unknown
}

const unread = Symbol('unread')

/** Creates the view of one decision. */
export function createHopView(input: PolicyInput): HopView {
  return {
    input,
    peer: input.direction === 'inbound' ? input.caller : input.callee,
    body: unread,
    objective: undefined,
    activation: undefined,
    item: undefined,
  }
}

/** Gives the parsed body; a failure where there is none, or where it is too large for rules to read. */
export function readBody(view: HopView): unknown {
  return view.body === unread ? (view.body = parseBody(view.input)) : view.body
}

/** Gives the objective of the judged side; a failure where it cannot be told. */
export function readObjective(view: HopView): PolicyObjective | Failure {
  return (view.objective ??= measureObjective(view.input))
}

function measureObjective(input: PolicyInput): PolicyObjective | Failure {
  try {
    return input.objective()
  } catch {
    return new Failure('the objective could not be read')
  }
}

function parseBody(input: PolicyInput): unknown {
  let body: unknown
  try {
    body = input.body()
  } catch {
    return new Failure('the body could not be read')
  }
  const problem = findBodyProblem(body)
  return problem === undefined ? body : new Failure(problem)
}
