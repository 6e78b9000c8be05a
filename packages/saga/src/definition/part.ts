import type { ContractCapability, Schema } from '@parley/mesh'
import type { AgentName } from '@parley/protocol'
import type { RetryPlan } from './plan.ts'

/** What a mapper is given: the saga's input, and the outputs of the steps that committed before, by step name. */
export interface StepContext<Saga, Results> {
  readonly saga: Saga
  readonly results: Results
}

/** A mapper without its types, as the runner calls it. */
export type Mapper = (context: StepContext<unknown, Readonly<Record<string, unknown>>>) => unknown

/** Names the providers of a step, in order of preference. */
export type Providers = readonly AgentName[] | ((saga: unknown) => readonly AgentName[])

/** A step as it was written. */
export interface StepPart {
  readonly kind: 'step'
  readonly name: string
  readonly capability: ContractCapability
  readonly map: Mapper
  readonly pivot: boolean
  readonly retriable: boolean
  readonly to?: Providers
  readonly among?: readonly string[]
  readonly deadlineMs: number
  readonly retry: RetryPlan
  readonly locks: boolean
  readonly delegation?: readonly string[]
}

/** A wait as it was written. */
export interface WaitPart {
  readonly kind: 'wait'
  readonly name: string
  readonly for: 'signal' | 'time'
  readonly schema?: Schema
  /** Makes the time, in milliseconds since the Unix epoch. */
  readonly until?: Mapper
  readonly withinMs?: number
  readonly onLapse: 'undo' | 'continue'
  readonly ifLate: 'continue' | 'wait-again' | 'undo'
}

/** A group as it was written. */
export interface GroupPart {
  readonly kind: 'parallel'
  readonly name: string
  readonly branches: readonly AnyPart[]
}

/** A branch of several parts, as it was written. */
export interface SequencePart {
  readonly kind: 'sequence'
  readonly parts: readonly AnyPart[]
}

/** A part of a saga, whatever its types. */
export type AnyPart = StepPart | GroupPart | SequencePart | WaitPart

/**
 * A part of a saga with its types: it reads the saga's input `Saga` and the results `Before` it, and adds the results
 * `Adds`. The types exist at compile time only.
 */
export type Part<Saga, Before, Adds> = AnyPart & {
  readonly types?: (context: StepContext<Saga, Before>) => Adds
}

/** Merges the results that the parts of a list add. */
export type MergeAdds<Parts> = Parts extends readonly [infer First, ...infer Rest]
  ? AddsOf<First> & MergeAdds<Rest>
  : unknown

type AddsOf<P> = P extends { readonly types?: (context: never) => infer Adds } ? Adds : never
