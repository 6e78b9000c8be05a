import type { Schema, SchemaInput, SchemaOutput } from '@parley/mesh'
import { fingerprintPlan } from './fingerprint.ts'
import { planParts } from './plan-parts.ts'
import { assertPlan } from './assert-plan.ts'
import type { AnyPart, Mapper, Part, StepContext, StepPart, WaitPart } from './part.ts'

/** How long participants remember a saga, where the definition does not say: a week covers a long outage. */
export const defaultExpiresAfterMs: number = 7 * 24 * 60 * 60 * 1000

/** What a saga is besides its parts. */
export interface SagaOptions<Input extends Schema> {
  /** A whole number from 1; a changed structure needs a new one. */
  readonly version: number
  readonly input: Input
  /**
   * Milliseconds after the start in which the saga must have ended. Until then participants remember its commands; after
   * that nothing is sent any more, and what is unproven is stuck.
   */
  readonly expiresAfterMs?: number
  /** Most sagas of this definition that one process works on at a time; the others are durable and wait for a place. */
  readonly concurrency?: number
}

/** A saga as a value: its structure, and the functions that map inputs. */
export interface SagaDefinition<Input = unknown, Output = unknown> {
  readonly name: string
  readonly version: number
  /** base64url SHA-256 of the structure: names, order, capabilities, contract hashes. Never of function bodies. */
  readonly fingerprint: string
  readonly input: Schema
  readonly expiresAfterMs: number
  readonly parts: readonly AnyPart[]
  /** The steps by name, with their mappers. */
  readonly steps: ReadonlyMap<string, StepPart>
  /** The waits by name, with their schemas. */
  readonly waits: ReadonlyMap<string, WaitPart>
  /** Most sagas of this definition that a process works on at a time, where it says so. */
  readonly concurrency?: number
  /** Makes the saga's output at its completion; without it the output is the results by step name. */
  readonly output?: Mapper
  /** Carries the types; never present at run time. */
  readonly types?: { readonly input: Input; readonly output: Output }
}

/** Nothing came before the first part. */
type None = Readonly<Record<never, never>>

/**
 * Defines a saga: `defineSaga('book-trip', { version: 1, input: Trip }, step(...), parallel(...), pivot(...), step(...))`.
 * Parts are arguments, not a list, so that each knows the results of those before it (beyond eight, as unknown). Throws
 * `saga.definition-invalid` for: no parts; a name that is used twice or is malformed; a step before the pivot that does
 * more than read and cannot be undone; one after it that is not retriable; two pivots; a pivot inside a group; a number out of range.
 */
export function defineSaga<S extends Schema, A>(
  name: string,
  options: SagaOptions<S>,
  a: Part<SchemaOutput<S>, None, A>,
): SagaDefinition<SchemaInput<S>, A>
export function defineSaga<S extends Schema, A, B>(
  name: string,
  options: SagaOptions<S>,
  a: Part<SchemaOutput<S>, None, A>,
  b: Part<SchemaOutput<S>, A, B>,
): SagaDefinition<SchemaInput<S>, A & B>
export function defineSaga<S extends Schema, A, B, C>(
  name: string,
  options: SagaOptions<S>,
  a: Part<SchemaOutput<S>, None, A>,
  b: Part<SchemaOutput<S>, A, B>,
  c: Part<SchemaOutput<S>, A & B, C>,
): SagaDefinition<SchemaInput<S>, A & B & C>
export function defineSaga<S extends Schema, A, B, C, D>(
  name: string,
  options: SagaOptions<S>,
  a: Part<SchemaOutput<S>, None, A>,
  b: Part<SchemaOutput<S>, A, B>,
  c: Part<SchemaOutput<S>, A & B, C>,
  d: Part<SchemaOutput<S>, A & B & C, D>,
): SagaDefinition<SchemaInput<S>, A & B & C & D>
export function defineSaga<S extends Schema, A, B, C, D, E>(
  name: string,
  options: SagaOptions<S>,
  a: Part<SchemaOutput<S>, None, A>,
  b: Part<SchemaOutput<S>, A, B>,
  c: Part<SchemaOutput<S>, A & B, C>,
  d: Part<SchemaOutput<S>, A & B & C, D>,
  e: Part<SchemaOutput<S>, A & B & C & D, E>,
): SagaDefinition<SchemaInput<S>, A & B & C & D & E>
export function defineSaga<S extends Schema, A, B, C, D, E, F>(
  name: string,
  options: SagaOptions<S>,
  a: Part<SchemaOutput<S>, None, A>,
  b: Part<SchemaOutput<S>, A, B>,
  c: Part<SchemaOutput<S>, A & B, C>,
  d: Part<SchemaOutput<S>, A & B & C, D>,
  e: Part<SchemaOutput<S>, A & B & C & D, E>,
  f: Part<SchemaOutput<S>, A & B & C & D & E, F>,
): SagaDefinition<SchemaInput<S>, A & B & C & D & E & F>
export function defineSaga<S extends Schema, A, B, C, D, E, F, G>(
  name: string,
  options: SagaOptions<S>,
  a: Part<SchemaOutput<S>, None, A>,
  b: Part<SchemaOutput<S>, A, B>,
  c: Part<SchemaOutput<S>, A & B, C>,
  d: Part<SchemaOutput<S>, A & B & C, D>,
  e: Part<SchemaOutput<S>, A & B & C & D, E>,
  f: Part<SchemaOutput<S>, A & B & C & D & E, F>,
  g: Part<SchemaOutput<S>, A & B & C & D & E & F, G>,
): SagaDefinition<SchemaInput<S>, A & B & C & D & E & F & G>
export function defineSaga<S extends Schema, A, B, C, D, E, F, G, H>(
  name: string,
  options: SagaOptions<S>,
  a: Part<SchemaOutput<S>, None, A>,
  b: Part<SchemaOutput<S>, A, B>,
  c: Part<SchemaOutput<S>, A & B, C>,
  d: Part<SchemaOutput<S>, A & B & C, D>,
  e: Part<SchemaOutput<S>, A & B & C & D, E>,
  f: Part<SchemaOutput<S>, A & B & C & D & E, F>,
  g: Part<SchemaOutput<S>, A & B & C & D & E & F, G>,
  h: Part<SchemaOutput<S>, A & B & C & D & E & F & G, H>,
): SagaDefinition<SchemaInput<S>, A & B & C & D & E & F & G & H>
export function defineSaga<S extends Schema>(
  name: string,
  options: SagaOptions<S>,
  ...parts: readonly Part<SchemaOutput<S>, Readonly<Record<string, unknown>>, unknown>[]
): SagaDefinition<SchemaInput<S>, Readonly<Record<string, unknown>>>
export function defineSaga(name: string, options: SagaOptions<Schema>, ...parts: readonly AnyPart[]): SagaDefinition {
  const plan = planParts(parts)
  const expiresAfterMs = options.expiresAfterMs ?? defaultExpiresAfterMs
  assertPlan({ ...options, name, expiresAfterMs, plan })
  return Object.freeze({
    name,
    version: options.version,
    fingerprint: fingerprintPlan(name, plan),
    input: options.input,
    expiresAfterMs,
    parts,
    steps: new Map(listSteps(parts).map((part) => [part.name, part])),
    waits: new Map(listWaits(parts).map((part) => [part.name, part])),
    ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
  })
}

/** Gives a definition an output of its own, made once from the saga's input and all results when it completes. */
export function withOutput<Input, Results, Output>(
  definition: SagaDefinition<Input, Results>,
  output: (context: StepContext<Input, Results>) => Output,
): SagaDefinition<Input, Output> {
  const { types: _results, ...rest } = definition
  return Object.freeze({ ...rest, output: output as Mapper })
}

function listSteps(parts: readonly AnyPart[]): readonly StepPart[] {
  return parts.flatMap((part) => {
    if (part.kind === 'step') return [part]
    return listSteps(listInner(part))
  })
}

function listWaits(parts: readonly AnyPart[]): readonly WaitPart[] {
  return parts.flatMap((part) => (part.kind === 'wait' ? [part] : listWaits(listInner(part))))
}

function listInner(part: AnyPart): readonly AnyPart[] {
  if (part.kind === 'parallel') return part.branches
  return part.kind === 'sequence' ? part.parts : []
}
