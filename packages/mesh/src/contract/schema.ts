import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'

/**
 * A schema that can both check a value (Standard Schema v1) and be printed (Standard JSON Schema v1), as zod ≥ 4.2,
 * arktype and valibot (through its converter) make them.
 */
export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output> &
  StandardJSONSchemaV1<Input, Output>

/** The type that a caller writes. */
export type SchemaInput<S extends Schema> = StandardSchemaV1.InferInput<S>

/** The type that comes out of the check. */
export type SchemaOutput<S extends Schema> = StandardSchemaV1.InferOutput<S>

/** A value that passed its schema, or what is wrong with it. */
export type SchemaCheck<Value> =
  | { readonly kind: 'valid'; readonly value: Value }
  | { readonly kind: 'invalid'; readonly problems: string }

/** Checks `value` against `schema`. Problems are listed by path; values are not repeated, they may be secret.
 * Answers at once where the schema does. */
export function checkSchema<S extends Schema>(
  schema: S,
  value: unknown,
): SchemaCheck<SchemaOutput<S>> | Promise<SchemaCheck<SchemaOutput<S>>> {
  const result = schema['~standard'].validate(value)
  return result instanceof Promise ? result.then((told) => readResult<S>(told)) : readResult<S>(result)
}

function readResult<S extends Schema>(result: StandardSchemaV1.Result<unknown>): SchemaCheck<SchemaOutput<S>> {
  if (!result.issues) return { kind: 'valid', value: result.value as SchemaOutput<S> }
  const problems = result.issues.map((issue) => {
    const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
    return path ? `${path}: ${issue.message}` : issue.message
  })
  return { kind: 'invalid', problems: problems.join('; ') }
}
