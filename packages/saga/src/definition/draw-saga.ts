import type { SagaDefinition } from './define-saga.ts'
import { planParts } from './plan-parts.ts'
import type { Plan, PlanNode } from './plan.ts'

/**
 * Draws a definition as a Mermaid flowchart: steps as boxes with their capability, the pivot as a double box, waits as
 * hexagons, groups as frames. Solid arrows lead forward; a step that can be undone says so.
 */
export function drawSaga(definition: Pick<SagaDefinition, 'name' | 'version' | 'parts'>): string {
  const lines: string[] = ['flowchart LR', `  start([${quote(`${definition.name} v${definition.version}`)}])`]
  const ends = drawSequence(planParts(definition.parts), ['start'], '  ', lines)
  lines.push('  end_([completed])')
  for (const end of ends) lines.push(`  ${end} --> end_`)
  return `${lines.join('\n')}\n`
}

/** Draws parts one after the other; returns the nodes that lead on. */
function drawSequence(plan: Plan, from: readonly string[], indent: string, lines: string[]): readonly string[] {
  let before = from
  for (const node of plan) {
    if (node.kind === 'parallel') {
      lines.push(`${indent}subgraph ${idOf(node.name)}[${quote(node.name)}]`)
      const entries = before
      before = node.branches.flatMap((branch) => drawSequence(branch, entries, `${indent}  `, lines))
      lines.push(`${indent}end`)
    } else {
      lines.push(`${indent}${idOf(node.name)}${shape(node)}`)
      for (const one of before) lines.push(`${indent}${one} --> ${idOf(node.name)}`)
      before = [idOf(node.name)]
    }
  }
  return before
}

function shape(node: Exclude<PlanNode, { kind: 'parallel' }>): string {
  if (node.kind === 'wait') return `{{${quote(`${node.name}: ${node.for}`)}}}`
  const text = `${node.name}\\n${node.capability}${node.undo ? ' ⟲' : ''}`
  return node.pivot ? `[[${quote(text)}]]` : `[${quote(text)}]`
}

/** Names hold only a-z, 0-9 and `-`; some are words of Mermaid. */
function idOf(name: string): string {
  return `n_${name.replaceAll('-', '_')}`
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '#quot;')}"`
}
