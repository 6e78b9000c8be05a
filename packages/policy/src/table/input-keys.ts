import { closedSets, inputSchema, numberRanges, type FieldType } from '../condition/input-schema.ts'
import { noDelegation, noObjective } from '../policy-input.ts'

/** A key of a described hop that no rule could ever read, a part that is no map, or a value that no hop has. */
export interface InputKeyProblem {
  /** From the input down to the key. */
  readonly path: readonly string[]
  readonly problem: string
}

interface Keys {
  readonly [key: string]: Keys | 'value'
}

const peerKeys = keysOf('name', 'owner', 'instance', 'kind', 'assurance', 'tier', 'score', 'grants', 'grantsByName')

const inputKeys: Keys = {
  ...keysOf('action', 'direction', 'phase', 'risk'),
  caller: peerKeys,
  callee: peerKeys,
  ...keysOf('onBehalfOf', 'labels', 'obligations'),
  delegation: { ...keysOf(...Object.keys(noDelegation)), left: keysOf('calls', 'tokens', 'amount', 'currency') },
  hop: keysOf('index', 'path'),
  saga: keysOf('present', 'id', 'step', 'attempt'),
  objective: keysOf(...Object.keys(noObjective)),
  ...keysOf('body', 'nowMs'),
}

/**
 * Lists what a described hop (`makeInput`) says under a name that does not exist, or with a value that no hop ever has: a case
 * that passes because of a misspelt key or word says nothing. Bodies and constraints may hold anything.
 */
export function checkInputKeys(given: unknown): readonly InputKeyProblem[] {
  return checkMap(given, inputKeys, [])
}

function checkMap(given: unknown, keys: Keys, path: readonly string[]): readonly InputKeyProblem[] {
  const names = Object.keys(keys).join(', ')
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return path.length === 0 ? [] : [{ path, problem: `${path.join('.')} is not a map with the keys ${names}` }]
  return Object.entries(given).flatMap(([name, value]): readonly InputKeyProblem[] => {
    const at = [...path, name]
    const known = Object.hasOwn(keys, name) ? keys[name] : undefined
    if (known === undefined) return [{ path: at, problem: `unknown key ${at.join('.')}: there are ${names}` }]
    if (known !== 'value') return checkMap(value, known, at)
    const problem = checkValue(value, at)
    return problem === undefined ? [] : [{ path: at, problem: `${at.join('.')} ${problem}` }]
  })
}

/** Says what is wrong with a value that a rule could read, but that no hop ever has. */
function checkValue(value: unknown, path: readonly string[]): string | undefined {
  const [first = '', second] = path
  const declared = inputSchema[first === 'nowMs' ? 'time' : first]
  const field = first === 'nowMs' ? first : (second ?? '')
  const type = typeof declared === 'string' ? declared : declared?.[field]
  const words = type === 'string' ? closedSets[second ?? first] : undefined
  if (words && !words.some((word) => word === value)) return `is none of ${words.join(', ')}`
  if (type === undefined || path.length > 2) return undefined
  const { is, what } = forms[type]
  if (!is(value)) return `is not ${what}`
  const range = numberRanges[`${first}.${second ?? ''}`]
  return range && typeof value === 'number' && (value < range[0] || value > range[1])
    ? `is not ${String(range[0])} to ${String(range[1])}`
    : undefined
}

const isText = (value: unknown): boolean => typeof value === 'string'

const forms: Readonly<Record<FieldType, { readonly what: string; readonly is: (value: unknown) => boolean }>> = {
  string: { what: 'a text', is: isText },
  int: { what: 'a whole number', is: Number.isSafeInteger },
  double: { what: 'a number', is: Number.isFinite },
  bool: { what: 'true or false', is: (value) => typeof value === 'boolean' },
  'list<string>': { what: 'a list of texts', is: (value) => Array.isArray(value) && value.every(isText) },
  dyn: { what: 'JSON', is: () => true },
}

function keysOf(...names: readonly string[]): Keys {
  return Object.fromEntries(names.map((name) => [name, 'value' as const]))
}
