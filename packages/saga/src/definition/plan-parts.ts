import { MeshError } from '@parley/protocol'
import { hashSchema } from './fingerprint.ts'
import type { AnyPart, StepPart, WaitPart } from './part.ts'
import type { Plan, PlanNode, PlanStep, PlanWait } from './plan.ts'

/**
 * Turns the parts of a definition into plain data. `saga` is the saga's input: with it, providers that are functions are
 * asked; without it they are left out, as for the fingerprint.
 */
export function planParts(parts: readonly AnyPart[], saga?: { readonly input: unknown }): Plan {
  return parts.map((part) => planPart(part, saga))
}

function planPart(part: AnyPart, saga?: { readonly input: unknown }): PlanNode {
  if (part.kind === 'step') return planStep(part, saga)
  if (part.kind === 'wait') return planWait(part)
  if (part.kind === 'sequence')
    throw new MeshError('saga.definition-invalid', 'a sequence stands outside a group: list its parts instead')
  return {
    kind: 'parallel',
    name: part.name,
    branches: part.branches.map((branch) => planParts(branch.kind === 'sequence' ? branch.parts : [branch], saga)),
  }
}

function planWait({ name, for: what, schema, withinMs, onLapse, ifLate }: WaitPart): PlanWait {
  return {
    kind: 'wait',
    name,
    for: what,
    ...(schema && { hash: hashSchema(schema) }),
    ...(withinMs !== undefined && { withinMs }),
    onLapse,
    ifLate,
  }
}

function planStep(part: StepPart, saga?: { readonly input: unknown }): PlanStep {
  const { capability } = part
  if (part.to && part.among)
    throw new MeshError(
      'saga.definition-invalid',
      `the step "${part.name}" has both \`to\` and \`among\`: leave one out`,
    )
  const providers = typeof part.to === 'function' ? saga && part.to(saga.input) : part.to
  return {
    kind: 'step',
    name: part.name,
    capability: capability.capability,
    hash: capability.hash,
    risk: capability.risk,
    undo: capability.undo,
    ...(capability.confidential ? { confidential: true } : {}),
    errors: Object.keys(capability.errors),
    pivot: part.pivot,
    retriable: part.retriable,
    ...(part.locks && { locks: true }),
    ...(providers && { providers }),
    ...(part.among && { among: part.among }),
    deadlineMs: part.deadlineMs,
    retry: part.retry,
    ...(part.delegation && { delegation: part.delegation }),
  }
}
