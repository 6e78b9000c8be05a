import type { Plan, PlanStep, PlanWait } from '../definition/plan.ts'
import type { SagaState, StepState, WaitState } from './saga-state.ts'
import { formatBranchPath, rootPath } from './settle-tree.ts'

/** Lists the steps that the saga is at, on its way forward or back: one of a sequence, one of each branch of a group. */
export function listFrontier(state: SagaState): readonly StepState[] {
  return listNodes(state, rootPath, state.started.plan).flatMap((node) =>
    node.kind === 'step' ? (state.steps[node.name] ?? []) : [],
  )
}

/** Lists the waits that the saga is at. */
export function listFrontierWaits(state: SagaState): readonly WaitState[] {
  return listNodes(state, rootPath, state.started.plan).flatMap((node) =>
    node.kind === 'wait' ? (state.waits[node.name] ?? []) : [],
  )
}

function listNodes(state: SagaState, path: string, nodes: Plan): readonly (PlanStep | PlanWait)[] {
  const snapshot = state.sequences[path]
  if (!snapshot || (snapshot.value !== 'forward' && snapshot.value !== 'backward')) return []
  const node = nodes[snapshot.context.at]
  if (!node) return []
  if (node.kind === 'parallel')
    return node.branches.flatMap((branch, at) => listNodes(state, formatBranchPath(node.name, at), branch))
  return [node]
}
