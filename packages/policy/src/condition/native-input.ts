import type { PolicyObjective, PolicyPeer } from '../policy-input.ts'
import { ringOf } from '../ring.ts'
import { Failure } from './failure.ts'
import { readBody, readObjective, type HopView } from './hop-view.ts'
import type { Evaluate, Native, NativeType } from './native-value.ts'
import { hourOf, weekdayOf } from './time-of-day.ts'

const noNumber = new Failure('a number of the input is none')

/** Written out one by one: a reader that takes the name of its field would make all of them slow. */
function peerFields(pick: (view: HopView) => PolicyPeer): readonly (readonly [string, NativeType, Evaluate])[] {
  return [
    ['name', 'string', (view) => pick(view).name],
    ['owner', 'string', (view) => pick(view).owner],
    ['instance', 'string', (view) => pick(view).instance],
    ['kind', 'string', (view) => pick(view).kind],
    ['assurance', 'int', (view) => whole(pick(view).assurance)],
    ['tier', 'string', (view) => pick(view).tier],
    ['score', 'int', (view) => whole(pick(view).score)],
    ['ring', 'int', (view) => ringOf(pick(view))],
    ['grants', 'bool', (view) => pick(view).grants],
    ['grantsByName', 'bool', (view) => pick(view).grantsByName],
  ]
}

const fields: readonly (readonly [string, NativeType, Evaluate])[] = [
  ['action', 'string', (view) => view.input.action],
  ['direction', 'string', (view) => view.input.direction],
  ['phase', 'string', (view) => view.input.phase],
  ['risk', 'string', (view) => view.input.risk],
  ['onBehalfOf', 'string', (view) => view.input.onBehalfOf],
  ['labels', 'list<string>', (view) => view.input.labels],
  ['obligations', 'list<string>', (view) => view.input.obligations],
  ['body', 'dyn', readBody],
  ...named(
    'caller',
    peerFields((view) => view.input.caller),
  ),
  ...named(
    'callee',
    peerFields((view) => view.input.callee),
  ),
  ...named(
    'peer',
    peerFields((view) => view.peer),
  ),
  ['delegation.present', 'bool', (view) => view.input.delegation.present],
  ['delegation.root', 'string', (view) => view.input.delegation.root],
  ['delegation.depth', 'int', (view) => whole(view.input.delegation.depth)],
  ['delegation.constraints', 'dyn', (view) => view.input.delegation.constraints],
  ['delegation.left', 'dyn', (view) => view.input.delegation.left],
  ['hop.index', 'int', (view) => whole(view.input.hop.index)],
  ['hop.path', 'list<string>', (view) => view.input.hop.path],
  ['saga.present', 'bool', (view) => view.input.saga.present],
  ['saga.id', 'string', (view) => view.input.saga.id],
  ['saga.step', 'string', (view) => view.input.saga.step],
  ['saga.attempt', 'int', (view) => whole(view.input.saga.attempt)],
  ['objective.known', 'bool', (view) => objectiveOf(view, 'known')],
  ['objective.target', 'double', (view) => objectiveOf(view, 'target')],
  ['objective.budgetLeft', 'double', (view) => objectiveOf(view, 'budgetLeft')],
  ['objective.breaker', 'string', (view) => objectiveOf(view, 'breaker')],
  ['time.nowMs', 'int', (view) => whole(view.input.time.nowMs)],
  ['time.hour', 'int', (view) => whole(hourOf(view.input.time.nowMs))],
  ['time.weekday', 'int', (view) => whole(weekdayOf(view.input.time.nowMs))],
]

const byPath: ReadonlyMap<string, Native> = new Map(fields.map(([path, type, run]) => [path, { type, run }]))

/** Finds the reader of a variable (`action`) or of a field of a record (`caller.score`). */
export function findInput(path: string): Native | undefined {
  return byPath.get(path)
}

function named(
  record: string,
  list: readonly (readonly [string, NativeType, Evaluate])[],
): readonly (readonly [string, NativeType, Evaluate])[] {
  return list.map(([field, type, run]) => [`${record}.${field}`, type, run])
}

function objectiveOf(view: HopView, field: keyof PolicyObjective): unknown {
  const objective = readObjective(view)
  return objective instanceof Failure ? objective : objective[field]
}

function whole(value: number): number | Failure {
  return Number.isFinite(value) ? Math.trunc(value) : noNumber
}
