import { allowed, refuse, type Refusal, type Verdict } from '@parley/protocol'
import { isObjectClaim } from '../jwt/claim.ts'
import { quote } from '../key/quote.ts'

/** What one argument must be. All kinds that are there must hold. */
export interface Condition {
  /** It is one of these texts, numbers or booleans. */
  readonly in?: readonly (string | number | boolean)[]
  /** It is a number of at least this. */
  readonly min?: number
  /** It is a number of at most this. */
  readonly max?: number
}

/**
 * Conditions on the arguments of delegated calls, by the path of the argument: member names joined by `.`, for instance
 * `card.country`. All of them hold at once, so adding one narrows; an argument that is not there fulfils none.
 */
export type Constraints = Readonly<Record<string, Condition>>

const maxArguments = 32
const maxChoices = 64
const maxTextLength = 256
const pathPattern = /^[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,64}){0,7}$/
const kinds: ReadonlySet<string> = new Set(['in', 'min', 'max'])

/**
 * Reads the constraints of a link. A kind of condition that is not known here refuses (`delegation.constraint-unknown`):
 * to ignore it would widen. Anything malformed is `delegation.invalid`.
 */
export function readConstraints(
  value: unknown,
): { readonly kind: 'allow'; readonly constraints: Constraints } | Refusal {
  if (value === undefined) return { kind: 'allow', constraints: {} }
  if (!isObjectClaim(value)) return refuse('delegation.invalid', 'the constraints are not an object')
  const entries = Object.entries(value)
  if (entries.length > maxArguments)
    return refuse('delegation.invalid', `the constraints name more than ${String(maxArguments)} arguments`)
  for (const [path, condition] of entries) {
    if (!pathPattern.test(path) || path.split('.').includes('__proto__'))
      return refuse('delegation.invalid', `${quote(path)} is not the path of an argument`)
    if (!isObjectClaim(condition) || Object.keys(condition).length === 0)
      return refuse('delegation.invalid', `the constraint on ${path} is not a condition`)
    const unknown = Object.keys(condition).find((kind) => !kinds.has(kind))
    if (unknown !== undefined)
      return refuse('delegation.constraint-unknown', `the constraint on ${path} has the unknown kind ${quote(unknown)}`)
    if (!isCondition(condition)) return refuse('delegation.invalid', `the constraint on ${path} is malformed`)
  }
  return { kind: 'allow', constraints: value as Constraints }
}

/** Joins a link's own constraints to those above it: what both name is taken from the link, which has to narrow it. */
export function mergeConstraints(parent: Constraints, own: Constraints): Constraints {
  const merged: Record<string, Condition> = { ...parent }
  for (const [path, condition] of Object.entries(own)) merged[path] = { ...merged[path], ...condition }
  return merged
}

/** Tells whether `child` has every condition of `parent`, each the same or narrower. */
export function constraintsNarrow(parent: Constraints, child: Constraints): boolean {
  return Object.entries(parent).every(([path, above]) => {
    const below = Object.hasOwn(child, path) ? child[path] : undefined
    if (!below) return false
    return (
      (above.in === undefined || below.in?.every((choice) => above.in?.includes(choice)) === true) &&
      (above.min === undefined || (below.min !== undefined && below.min >= above.min)) &&
      (above.max === undefined || (below.max !== undefined && below.max <= above.max))
    )
  })
}

/** Decides whether an input keeps all constraints; `delegation.constraint-violated` names the first that it breaks. */
export function decideArguments(constraints: Constraints, input: unknown): Verdict {
  for (const [path, condition] of Object.entries(constraints)) {
    if (!holds(condition, argumentAt(input, path)))
      return refuse('delegation.constraint-violated', `the argument ${path} is not within what the chain allows`)
  }
  return allowed
}

function holds({ in: choices, min, max }: Condition, argument: unknown): boolean {
  if (choices && !choices.some((choice) => choice === argument)) return false
  if (min === undefined && max === undefined) return true
  return typeof argument === 'number' && argument >= (min ?? -Infinity) && argument <= (max ?? Infinity)
}

/** Only an object's own members count: nothing inherited can stand in for an argument. */
function argumentAt(input: unknown, path: string): unknown {
  let value = input
  for (const name of path.split('.')) {
    if (!isObjectClaim(value) || !Object.hasOwn(value, name)) return undefined
    value = value[name]
  }
  return value
}

function isCondition({ in: choices, min, max }: Readonly<Record<string, unknown>>): boolean {
  return (
    (choices === undefined || (Array.isArray(choices) && choices.length <= maxChoices && choices.every(isChoice))) &&
    [min, max].every((bound) => bound === undefined || (typeof bound === 'number' && Number.isFinite(bound)))
  )
}

function isChoice(choice: unknown): boolean {
  return (
    typeof choice === 'boolean' ||
    (typeof choice === 'number' && Number.isFinite(choice)) ||
    (typeof choice === 'string' && choice.length <= maxTextLength)
  )
}
