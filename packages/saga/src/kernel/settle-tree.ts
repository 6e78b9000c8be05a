import type { Plan, PlanGroup, PlanNode } from '../definition/plan.ts'
import { layOutGroup } from './group-layout.ts'
import { beginSequence, moveSequence, type SequenceMove, type SequenceSnapshot } from './sequence-machine.ts'
import type { StepState, WaitState } from './saga-state.ts'

/** The path of the saga's own sequence. */
export const rootPath = '$'

/** What the tree of sequences is computed from, and its present snapshots, which are written to. */
export interface Tree {
  readonly plan: Plan
  readonly steps: Readonly<Record<string, StepState>>
  readonly waits: Readonly<Record<string, WaitState>>
  readonly sequences: Record<string, SequenceSnapshot>
  /** The saga is on its way back. */
  readonly turned: boolean
  /** The only step or wait that changed since the snapshots were settled, where that is known: the other branches stand. */
  readonly touched?: string | undefined
}

/**
 * Moves every sequence as far as its steps allow: forward over what committed; back only once nothing is in flight
 * anywhere; over a group only when all its branches are through, so that what follows a group is undone before any of it.
 */
export function settleTree(tree: Tree): void {
  settleSequence(tree, rootPath, tree.plan)
}

function settleSequence(tree: Tree, path: string, nodes: Plan): SequenceSnapshot {
  let snapshot = tree.sequences[path] ?? beginSequence(nodes.length)
  const move = (type: SequenceMove['type']): void => {
    snapshot = moveSequence(snapshot, { type })
  }
  if (tree.turned && (snapshot.value === 'forward' || snapshot.value === 'complete')) move('turn')
  for (let before: SequenceSnapshot | undefined; before !== snapshot;) {
    before = snapshot
    if (tree.sequences[path] !== snapshot) tree.sequences[path] = snapshot
    const node = nodes[snapshot.context.at]
    if (!node) break
    if (snapshot.value === 'forward' && isCommitted(tree, node)) move('advance')
    else if (snapshot.value === 'turning' && !isAnyInFlight(tree)) move('drained')
    else if (snapshot.value === 'backward' && isTakenBack(tree, node)) move('retreat')
  }
  return snapshot
}

function isCommitted(tree: Tree, node: PlanNode): boolean {
  if (node.kind === 'step') return tree.steps[node.name]?.snapshot.value === 'committed'
  if (node.kind === 'wait') return tree.waits[node.name]?.snapshot.value === 'met'
  return everyBranch(tree, node, 'complete')
}

function isTakenBack(tree: Tree, node: PlanNode): boolean {
  if (node.kind === 'parallel') return everyBranch(tree, node, 'unwound')
  if (node.kind === 'wait') return true
  const step = tree.steps[node.name]
  return step !== undefined && !hasToBeUndone(step)
}

/** Settles all branches before it looks at any, so that they move at the same time. */
function everyBranch(tree: Tree, group: PlanGroup, value: 'complete' | 'unwound'): boolean {
  const { paths, branchOf } = layOutGroup(group)
  const settleBranch = (branch: number): SequenceSnapshot =>
    settleSequence(tree, paths[branch] ?? '', group.branches[branch] ?? [])
  const touched = tree.touched === undefined || tree.turned ? undefined : branchOf.get(tree.touched)
  if (touched === undefined) for (const branch of paths.keys()) settleBranch(branch)
  else if (settleBranch(touched).value !== value) return false
  return paths.every((path) => tree.sequences[path]?.value === value)
}

function isAnyInFlight(tree: Tree): boolean {
  return Object.values(tree.steps).some(isInFlight)
}

/** Tells whether a command of the step is out whose answer is still awaited. */
export function isInFlight(step: StepState): boolean {
  return step.snapshot.value === 'executing' || step.snapshot.value === 'accepted'
}

/** Tells whether an effect of the step may stand that its participant has to take back. A read has none. */
export function hasToBeUndone(step: StepState): boolean {
  switch (step.snapshot.value) {
    case 'committed':
    case 'unknown':
      return step.plan.risk !== 'read'
    case 'executing':
    case 'accepted':
    case 'undoing':
    case 'stuck':
      return true
    default:
      return false
  }
}

/** Tells whether the step's participant may keep a lock for the saga; what was undone gave its own back. */
export function isToBeClosed({ plan, closed, snapshot }: StepState): boolean {
  return plan.locks === true && !closed && (snapshot.value === 'committed' || snapshot.value === 'waived')
}
