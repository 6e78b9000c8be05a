/** The types that a parameter of a tool can have. */
export const parameterTypes = ['string', 'number', 'integer', 'boolean', 'array', 'object'] as const

/** One of `parameterTypes`. */
export type ParameterType = (typeof parameterTypes)[number]

/** What a manifest demands of one argument of a tool. */
export interface ToolParameter {
  readonly name: string
  readonly type: ParameterType | undefined
  readonly required: boolean
  /** Bounds of the length of a text, in Unicode code points, or of a list, in items. */
  readonly minLength: number | undefined
  readonly maxLength: number | undefined
  /** Bounds of a number, both allowed. */
  readonly min: number | undefined
  readonly max: number | undefined
  /** The only values that it may have. */
  readonly oneOf: readonly (string | number | boolean)[] | undefined
}

/** Says what is wrong with an argument, without its value; undefined if nothing is. */
export function checkParameter(parameter: ToolParameter, value: unknown): string | undefined {
  const { name, type, oneOf } = parameter
  if (value === undefined || value === null) return parameter.required ? `the argument ${name} is missing` : undefined
  if (type !== undefined && !isOfType(value, type)) return `the argument ${name} is not of the type ${type}`
  if (oneOf !== undefined && !oneOf.some((allowed) => allowed === value)) {
    return `the argument ${name} is none of the values that its manifest lists`
  }
  return checkLength(parameter, value) ?? checkBounds(parameter, value)
}

function checkLength({ name, minLength, maxLength }: ToolParameter, value: unknown): string | undefined {
  if (minLength === undefined && maxLength === undefined) return undefined
  const length = lengthOf(value)
  if (length === undefined) return `the argument ${name} has no length`
  if (minLength !== undefined && length < minLength) return `the argument ${name} is shorter than ${String(minLength)}`
  if (maxLength !== undefined && length > maxLength) return `the argument ${name} is longer than ${String(maxLength)}`
  return undefined
}

function checkBounds({ name, min, max }: ToolParameter, value: unknown): string | undefined {
  if (min === undefined && max === undefined) return undefined
  if (typeof value !== 'number') return `the argument ${name} is not a number`
  if (min !== undefined && !(value >= min)) return `the argument ${name} is below ${String(min)}`
  if (max !== undefined && !(value <= max)) return `the argument ${name} is above ${String(max)}`
  return undefined
}

function lengthOf(value: unknown): number | undefined {
  if (Array.isArray(value)) return value.length
  if (typeof value !== 'string') return undefined
  let length = 0
  for (let at = 0; at < value.length; length++) at += (value.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
  return length
}

function isOfType(value: unknown, type: ParameterType): boolean {
  switch (type) {
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type
    case 'integer':
      return Number.isInteger(value)
    case 'array':
      return Array.isArray(value)
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
  }
}
