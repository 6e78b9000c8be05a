import type { Plan } from '../definition/plan.ts'
import type { SagaState, StepState } from './saga-state.ts'
import { formatBranchPath, rootPath } from './settle-tree.ts'

/** Lists the steps that the saga is at, on its way forward or back: one of a sequence, one of each branch of a group. */
export function listFrontier(state: SagaState): readonly StepState[] {
  return listSequenceFrontier(state, rootPath, state.started.plan)
}

function listSequenceFrontier(state: SagaState, path: string, nodes: Plan): readonly StepState[] {
  const snapshot = state.sequences[path]
  if (!snapshot || (snapshot.value !== 'forward' && snapshot.value !== 'backward')) return []
  const node = nodes[snapshot.context.at]
  if (!node) return []
  if (node.kind === 'parallel')
    return node.branches.flatMap((branch, at) => listSequenceFrontier(state, formatBranchPath(node.name, at), branch))
  const step = state.steps[node.name]
  return step ? [step] : []
}
