import type { Plan, PlanGroup } from '../definition/plan.ts'

/** What the tree of sequences asks of a group again and again. */
export interface GroupLayout {
  /** The path of each branch's sequence. */
  readonly paths: readonly string[]
  /** The branch that each step and wait of the group stands in, by name. */
  readonly branchOf: ReadonlyMap<string, number>
}

const layouts = new WeakMap<PlanGroup, GroupLayout>()

/** Lays a group out, once: sequences are `<group>.<branch index>`. */
export function layOutGroup(group: PlanGroup): GroupLayout {
  const known = layouts.get(group)
  if (known) return known
  const layout: GroupLayout = {
    paths: group.branches.map((_, branch) => `${group.name}.${branch}`),
    branchOf: new Map(group.branches.flatMap((nodes, branch) => listNames(nodes).map((name) => [name, branch]))),
  }
  layouts.set(group, layout)
  return layout
}

function listNames(nodes: Plan): readonly string[] {
  return nodes.flatMap((node) => (node.kind === 'parallel' ? node.branches.flatMap(listNames) : [node.name]))
}
