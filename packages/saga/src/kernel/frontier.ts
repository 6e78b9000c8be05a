import type { Plan, PlanStep, PlanWait } from '../definition/plan.ts'
import { layOutGroup } from './group-layout.ts'
import type { SagaState, StepState, WaitState } from './saga-state.ts'
import { rootPath } from './settle-tree.ts'

/** Where a saga is, on its way forward or back: one part of a sequence, one of each branch of a group. */
export interface Frontier {
  readonly steps: readonly StepState[]
  readonly waits: readonly WaitState[]
}

/** Finds where the saga is. */
export function findFrontier(state: SagaState): Frontier {
  const steps: StepState[] = []
  const waits: WaitState[] = []
  visitFrontier(state, (node) => {
    if (node.kind === 'step') {
      const step = state.steps[node.name]
      if (step) steps.push(step)
    } else {
      const wait = state.waits[node.name]
      if (wait) waits.push(wait)
    }
    return true
  })
  return { steps, waits }
}

/** Shows the parts that the saga is at, one after the other, until `visit` says false. Tells whether it came to the end. */
export function visitFrontier(state: SagaState, visit: (node: PlanStep | PlanWait) => boolean): boolean {
  return visitSequence(state, rootPath, state.started.plan, visit)
}

function visitSequence(
  state: SagaState,
  path: string,
  nodes: Plan,
  visit: (node: PlanStep | PlanWait) => boolean,
): boolean {
  const snapshot = state.sequences[path]
  if (!snapshot || (snapshot.value !== 'forward' && snapshot.value !== 'backward')) return true
  const node = nodes[snapshot.context.at]
  if (!node) return true
  if (node.kind !== 'parallel') return visit(node)
  const { paths } = layOutGroup(node)
  return node.branches.every((branch, at) => visitSequence(state, paths[at] ?? '', branch, visit))
}
