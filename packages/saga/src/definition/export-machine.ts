import { createMachine, type AnyStateMachine } from 'xstate'
import type { SagaDefinition } from './define-saga.ts'
import { planParts } from './plan-parts.ts'
import type { Plan, PlanNode } from './plan.ts'

interface StateConfig {
  readonly [field: string]: unknown
}

/**
 * Exports a definition as one XState machine, for drawing and for `xstate/graph`: forward through the parts by
 * `done.<step>`, and from every step before the pivot back by `back.<step>`. The runner does not run it: a machine that
 * forks into as many regions as a group has branches costs too much at every event.
 */
export function exportMachine(definition: Pick<SagaDefinition, 'name' | 'parts'>): AnyStateMachine {
  const plan = planParts(definition.parts)
  const pivotAt = plan.findIndex((node) => node.kind === 'step' && node.pivot)
  const states: Record<string, StateConfig> = {}
  for (const [at, node] of plan.entries()) {
    const next = plan[at + 1]?.name ?? 'completed'
    const isBefore = pivotAt === -1 || at <= pivotAt
    const before = plan[at - 1]
    const back = isBefore ? { [`back.${node.name}`]: before ? `undo ${before.name}` : 'compensated' } : {}
    states[node.name] = forward(node, next, back)
    if (pivotAt === -1 || at < pivotAt)
      states[`undo ${node.name}`] = {
        on: {
          [`undone.${node.name}`]: before ? `undo ${before.name}` : 'compensated',
          [`stuck.${node.name}`]: 'stuck',
        },
      }
  }
  return createMachine({
    id: definition.name,
    initial: plan[0]?.name ?? 'completed',
    states: { ...states, completed: { type: 'final' }, compensated: { type: 'final' }, stuck: {} },
  })
}

function forward(node: PlanNode, next: string, back: Readonly<Record<string, string>>): StateConfig {
  if (node.kind !== 'parallel') return { on: { [`done.${node.name}`]: next, ...back } }
  return {
    type: 'parallel',
    states: Object.fromEntries(node.branches.map((branch, at) => [`branch ${at}`, region(branch)])),
    onDone: next,
    on: back,
  }
}

/** One branch of a group: its parts, then done. */
function region(branch: Plan): StateConfig {
  const states = branch.map((node, at): [string, StateConfig] => [
    node.name,
    forward(node, branch[at + 1]?.name ?? 'branch done', {}),
  ])
  return {
    initial: branch[0]?.name ?? 'branch done',
    states: { ...Object.fromEntries(states), 'branch done': { type: 'final' } },
  }
}
