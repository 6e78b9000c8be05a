import type { Plan, PlanNode } from '@parley/saga'

/** What comes after what in a plan, told from its structure alone. */
export interface StepOrder {
  /** Whether `later` begins only once `earlier` is through. */
  follows(later: string, earlier: string): boolean
  isPivot(step: string): boolean
}

/** Reads the order of a plan's steps. */
export function readStepOrder(plan: Plan): StepOrder {
  const before = new Map<string, ReadonlySet<string>>()
  const pivots = new Set<string>()
  const walk = (nodes: Plan, done: readonly string[]): readonly string[] => {
    let through = [...done]
    for (const node of nodes) {
      if (node.kind === 'step') {
        before.set(node.name, new Set(through))
        if (node.pivot) pivots.add(node.name)
      } else if (node.kind === 'parallel') for (const branch of node.branches) walk(branch, through)
      through = [...through, ...namesOf(node)]
    }
    return through
  }
  walk(plan, [])
  return {
    follows: (later, earlier) => before.get(later)?.has(earlier) ?? false,
    isPivot: (step) => pivots.has(step),
  }
}

function namesOf(node: PlanNode): readonly string[] {
  if (node.kind === 'parallel') return node.branches.flatMap((branch) => branch.flatMap(namesOf))
  return [node.name]
}
