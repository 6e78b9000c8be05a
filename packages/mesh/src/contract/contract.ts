import { systemHash } from '@parley/ports'
import { isCapability, MeshError, type Capability, type Risk } from '@parley/protocol'
import { formatEventTopic, type ContractEvent, type EventDefinition } from './event.ts'
import type { Schema, SchemaInput, SchemaOutput } from './schema.ts'

/** What a contract's author writes for one capability. */
export interface CapabilityDefinition {
  readonly input: Schema
  readonly output: Schema
  /** Errors that the handler may decline with, each with the schema of its details. */
  readonly errors?: Readonly<Record<string, Schema>>
  readonly risk: Risk
  /** The callee can take the effect back, given its idempotency key. Required for reversible steps of sagas. */
  readonly undo?: boolean
  /** One part of a streamed reply: what serves it is an async generator, whose return value is the output. */
  readonly stream?: Schema
  /** What long work tells of itself on the way, with `hop.progress`. */
  readonly progress?: Schema
  /** Bodies of requests and replies are encrypted end to end; a session that cannot do so refuses the capability. */
  readonly confidential?: boolean
}

/** One capability of a contract: what server, caller and saga share about it. `Declared` maps error names to details. */
export interface ContractCapability<
  Input = unknown,
  Output = unknown,
  Declared = unknown,
  Result = Output,
  Part = unknown,
  Progress = unknown,
> {
  readonly capability: Capability
  readonly input: Schema
  readonly output: Schema
  readonly errors: Readonly<Record<string, Schema>>
  readonly risk: Risk
  readonly undo: boolean
  readonly confidential: boolean
  readonly stream?: Schema
  readonly progress?: Schema
  /** base64url SHA-256 over what `describeCapability` says of it: callee and caller must agree on it. */
  readonly hash: string
  /** Carries the types; never present at run time. */
  readonly types?: {
    readonly input: Input
    readonly output: Output
    readonly declared: Declared
    readonly result: Result
    readonly part: Part
    readonly progress: Progress
  }
}

/** The type of a schema that a definition may have; `undefined` where it has none. */
type OptionalSchema<S> = S extends Schema ? SchemaOutput<S> : undefined

/** The errors that a definition declares, by name, as the types of their details. */
export type DeclaredErrors<D extends CapabilityDefinition> =
  D['errors'] extends Readonly<Record<string, Schema>>
    ? { readonly [Name in keyof D['errors'] & string]: SchemaOutput<D['errors'][Name]> }
    : Record<never, never>

/** A contract: its facts, its events, and one property for each capability. Without `Definitions`, any contract. */
export type Contract<
  Definitions extends Record<string, CapabilityDefinition> = Record<never, CapabilityDefinition>,
  Events extends Record<string, EventDefinition> = Record<never, EventDefinition>,
> = {
  readonly name: string
  readonly version: number
  readonly capabilities: readonly ContractCapability[]
  readonly events: { readonly [Name in keyof Events & string]: ContractEvent<SchemaOutput<Events[Name]['payload']>> }
} & {
  readonly [Operation in keyof Definitions & string]: ContractCapability<
    SchemaInput<Definitions[Operation]['input']>,
    SchemaOutput<Definitions[Operation]['output']>,
    DeclaredErrors<Definitions[Operation]>,
    SchemaInput<Definitions[Operation]['output']>,
    OptionalSchema<Definitions[Operation]['stream']>,
    OptionalSchema<Definitions[Operation]['progress']>
  >
}

const reserved: ReadonlySet<string> = new Set(['name', 'version', 'capabilities', 'events'])

/**
 * Defines the data that server, caller, saga and bridge share: `defineContract('flights', { reserve: { input, output,
 * risk } })` gives `flights.reserve`, and `events: { delayed: { payload } }` gives `flights.events.delayed`. Throws
 * `contract.invalid` for a name that is no capability, or that an operation and an event share, and for a schema that
 * cannot be printed as JSON Schema, since no peer could read it.
 */
export function defineContract<
  const Definitions extends Record<string, CapabilityDefinition>,
  const Events extends Record<string, EventDefinition> = Record<never, EventDefinition>,
>(
  name: string,
  definitions: Definitions,
  options: { readonly version?: number; readonly events?: Events } = {},
): Contract<Definitions, Events> {
  const capabilities = Object.entries(definitions).map(([operation, definition]) =>
    defineCapability(name, operation, definition),
  )
  const byOperation = Object.fromEntries(Object.keys(definitions).map((operation, at) => [operation, capabilities[at]]))
  const declared = Object.entries(options.events ?? {})
  const shared = declared.find(([event]) => Object.hasOwn(definitions, event))
  if (shared)
    throw new MeshError('contract.invalid', `"${name}:${shared[0]}" is an operation and an event: rename one of them`)
  const events = Object.freeze(
    Object.fromEntries(declared.map(([event, definition]) => [event, defineEvent(`${name}:${event}`, definition)])),
  )
  const version = options.version ?? 1
  return Object.freeze({ ...byOperation, name, version, capabilities, events }) as unknown as Contract<
    Definitions,
    Events
  >
}

function defineCapability(service: string, operation: string, definition: CapabilityDefinition): ContractCapability {
  const capability = `${service}:${operation}`
  if (reserved.has(operation))
    throw new MeshError('contract.invalid', `"${operation}" cannot name an operation: a contract uses it itself`)
  assertCapability(capability)
  const { stream, progress } = definition
  const facts = {
    capability,
    input: definition.input,
    output: definition.output,
    errors: definition.errors ?? {},
    risk: definition.risk,
    undo: definition.undo ?? false,
    confidential: definition.confidential ?? false,
    ...(stream ? { stream } : {}),
    ...(progress ? { progress } : {}),
  }
  return Object.freeze({ ...facts, hash: hashDescription(describeCapability(facts)) })
}

/** What a contract says of one capability, as data that a peer can read: schemas are JSON Schema 2020-12. */
export interface CapabilityDescription {
  readonly capability: Capability
  readonly input: Record<string, unknown>
  readonly output: Record<string, unknown>
  readonly errors: Readonly<Record<string, Record<string, unknown>>>
  readonly risk: Risk
  readonly undo: boolean
  readonly confidential: boolean
  /** Only where its reply is streamed. */
  readonly stream?: Record<string, unknown>
  /** Only where it is long work. */
  readonly progress?: Record<string, unknown>
}

/** What a contract says of one event, as data that a peer can read. */
export interface EventDescription {
  /** `service:event` */
  readonly event: Capability
  readonly payload: Record<string, unknown>
  readonly risk: Risk
}

/** Describes a capability. Throws `contract.invalid` for a schema that cannot be printed. */
export function describeCapability(facts: Omit<ContractCapability, 'hash'>): CapabilityDescription {
  const { capability, input, output, errors, risk, undo, confidential, stream, progress } = facts
  return {
    capability,
    input: printSchema(capability, 'input', input, 'input'),
    output: printSchema(capability, 'output', output, 'output'),
    errors: Object.fromEntries(
      Object.entries(errors).map(([name, schema]) => [
        name,
        printSchema(capability, `errors.${name}`, schema, 'output'),
      ]),
    ),
    risk,
    undo,
    confidential,
    ...(stream ? { stream: printSchema(capability, 'stream', stream, 'output') } : {}),
    ...(progress ? { progress: printSchema(capability, 'progress', progress, 'output') } : {}),
  }
}

/** Hashes a description: the hash that its contract has on the wire. The order of keys does not matter. */
export function hashDescription(description: CapabilityDescription | EventDescription): string {
  const hash = systemHash(new TextEncoder().encode(JSON.stringify(sortKeys(description))))
  return Buffer.from(hash).toString('base64url')
}

/** Describes an event. Throws `contract.invalid` for a schema that cannot be printed. */
export function describeEvent({ capability, payload, risk }: Omit<ContractEvent, 'hash' | 'topic'>): EventDescription {
  return { event: capability, payload: printSchema(capability, 'payload', payload, 'output'), risk }
}

function defineEvent(capability: string, { payload, risk = 'read' }: EventDefinition): ContractEvent {
  assertCapability(capability)
  const facts = { capability, payload, risk }
  return Object.freeze({ ...facts, topic: formatEventTopic(capability), hash: hashDescription(describeEvent(facts)) })
}

function assertCapability(capability: string): asserts capability is Capability {
  if (!isCapability(capability))
    throw new MeshError(
      'contract.invalid',
      `"${capability}" is not a capability: use a-z, 0-9, - and _ on both sides of the colon`,
    )
}

/** Prints a capability's schemas as JSON Schema 2020-12, for cards and for a model's tool list. */
export function printCapability(capability: ContractCapability): {
  readonly input: Record<string, unknown>
  readonly output: Record<string, unknown>
} {
  return {
    input: printSchema(capability.capability, 'input', capability.input, 'input'),
    output: printSchema(capability.capability, 'output', capability.output, 'output'),
  }
}

function printSchema(
  capability: string,
  place: string,
  schema: Schema,
  side: 'input' | 'output',
): Record<string, unknown> {
  try {
    return schema['~standard'].jsonSchema[side]({ target: 'draft-2020-12' })
  } catch (cause) {
    throw new MeshError(
      'contract.invalid',
      `the ${place} schema of ${capability} cannot be printed as JSON Schema: use a schema without transforms and classes, from a library with Standard JSON Schema (zod 4.2 or later, arktype, valibot with its converter)`,
      { cause },
    )
  }
}

/** Orders the keys of all objects, so that the order in which a library prints them does not matter. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  )
}
