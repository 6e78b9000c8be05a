import { systemHash } from '@parley/ports'
import { isCapability, MeshError, type Capability, type Risk } from '@parley/protocol'
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
  /** Bodies of requests and replies are encrypted end to end; a session that cannot do so refuses the capability. */
  readonly confidential?: boolean
}

/** One capability of a contract: what server, caller and saga share about it. `Declared` maps error names to details. */
export interface ContractCapability<Input = unknown, Output = unknown, Declared = unknown, Result = Output> {
  readonly capability: Capability
  readonly input: Schema
  readonly output: Schema
  readonly errors: Readonly<Record<string, Schema>>
  readonly risk: Risk
  readonly undo: boolean
  readonly confidential: boolean
  /** base64url SHA-256 over name, schemas, errors, risk, undo and confidentiality: callee and caller must agree on it. */
  readonly hash: string
  /** Carries the types; never present at run time. */
  readonly types?: {
    readonly input: Input
    readonly output: Output
    readonly declared: Declared
    readonly result: Result
  }
}

/** The errors that a definition declares, by name, as the types of their details. */
export type DeclaredErrors<D extends CapabilityDefinition> =
  D['errors'] extends Readonly<Record<string, Schema>>
    ? { readonly [Name in keyof D['errors'] & string]: SchemaOutput<D['errors'][Name]> }
    : Record<never, never>

/** A contract: its facts, and one property for each capability. Without `Definitions`, any contract. */
export type Contract<Definitions extends Record<string, CapabilityDefinition> = Record<never, CapabilityDefinition>> = {
  readonly name: string
  readonly version: number
  readonly capabilities: readonly ContractCapability[]
} & {
  readonly [Operation in keyof Definitions & string]: ContractCapability<
    SchemaInput<Definitions[Operation]['input']>,
    SchemaOutput<Definitions[Operation]['output']>,
    DeclaredErrors<Definitions[Operation]>,
    SchemaInput<Definitions[Operation]['output']>
  >
}

const reserved: ReadonlySet<string> = new Set(['name', 'version', 'capabilities'])

/**
 * Defines the data that server, caller, saga and bridge share: `defineContract('flights', { reserve: { input, output,
 * risk } })` gives `flights.reserve`. Throws `contract.invalid` for a name that is no capability, and for a schema that
 * cannot be printed as JSON Schema, since no peer could read it.
 */
export function defineContract<const Definitions extends Record<string, CapabilityDefinition>>(
  name: string,
  definitions: Definitions,
  options: { readonly version?: number } = {},
): Contract<Definitions> {
  const capabilities = Object.entries(definitions).map(([operation, definition]) =>
    defineCapability(name, operation, definition),
  )
  const byOperation = Object.fromEntries(Object.keys(definitions).map((operation, at) => [operation, capabilities[at]]))
  return Object.freeze({ ...byOperation, name, version: options.version ?? 1, capabilities }) as Contract<Definitions>
}

function defineCapability(service: string, operation: string, definition: CapabilityDefinition): ContractCapability {
  const capability = `${service}:${operation}`
  if (reserved.has(operation))
    throw new MeshError('contract.invalid', `"${operation}" cannot name an operation: a contract uses it itself`)
  if (!isCapability(capability))
    throw new MeshError(
      'contract.invalid',
      `"${capability}" is not a capability: use a-z, 0-9, - and _ on both sides of the colon`,
    )
  const facts = {
    capability,
    input: definition.input,
    output: definition.output,
    errors: definition.errors ?? {},
    risk: definition.risk,
    undo: definition.undo ?? false,
    confidential: definition.confidential ?? false,
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
}

/** Describes a capability. Throws `contract.invalid` for a schema that cannot be printed. */
export function describeCapability(facts: Omit<ContractCapability, 'hash'>): CapabilityDescription {
  const { capability, input, output, errors, risk, undo, confidential } = facts
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
  }
}

/** Hashes a description: the hash that its contract has on the wire. The order of keys does not matter. */
export function hashDescription(description: CapabilityDescription): string {
  const hash = systemHash(new TextEncoder().encode(JSON.stringify(sortKeys(description))))
  return Buffer.from(hash).toString('base64url')
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
