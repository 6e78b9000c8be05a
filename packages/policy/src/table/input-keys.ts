import { noDelegation, noObjective } from '../policy-input.ts'

/** A key of a described hop that no rule could ever read, or a part that is no map. */
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
 * Lists what a described hop (`makeInput`) says under a name that does not exist: a case that passes because of a misspelt
 * key says nothing. Bodies and constraints may hold anything.
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
    return known === 'value' ? [] : checkMap(value, known, at)
  })
}

function keysOf(...names: readonly string[]): Keys {
  return Object.fromEntries(names.map((name) => [name, 'value' as const]))
}
