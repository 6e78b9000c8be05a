import { MeshError } from '@parley/protocol'
import { listPlanSteps, listPlanWaits, type Plan, type PlanStep } from './plan.ts'

const namePattern = /^[a-z0-9][a-z0-9-]{0,62}$/

/** Refuses a definition that could not keep the promises of a saga. Throws `saga.definition-invalid`, naming what to change. */
export function assertPlan(saga: {
  readonly name: string
  readonly version: number
  readonly expiresAfterMs: number
  readonly concurrency?: number
  readonly plan: Plan
}): void {
  const refuse = (problem: string): never => {
    throw new MeshError('saga.definition-invalid', `saga "${saga.name}": ${problem}`)
  }
  if (!namePattern.test(saga.name)) refuse('its name must be 1 to 63 of a-z, 0-9 and -')
  if (!Number.isSafeInteger(saga.version) || saga.version < 1)
    refuse(`version ${saga.version} is not a whole number from 1`)
  if (!Number.isSafeInteger(saga.expiresAfterMs) || saga.expiresAfterMs < 1)
    refuse('expiresAfterMs must be a whole number from 1')
  const { concurrency = 1 } = saga
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) refuse('concurrency must be a whole number from 1')
  if (saga.plan.length === 0) refuse('it has no steps')
  const seen = new Set<string>()
  for (const name of listNames(saga.plan)) {
    if (!namePattern.test(name)) refuse(`the name "${name}" must be 1 to 63 of a-z, 0-9 and -`)
    if (seen.has(name)) refuse(`the name "${name}" is used twice`)
    seen.add(name)
  }
  for (const group of listGroups(saga.plan)) {
    if (group.branches.length === 0) refuse(`the group "${group.name}" has no branches`)
    if (group.branches.some((branch) => branch.length === 0)) refuse(`the group "${group.name}" has an empty branch`)
    const inner = group.branches.flatMap(listPlanSteps).find((step) => step.pivot)
    if (inner) refuse(`the pivot "${inner.name}" stands inside the group "${group.name}"`)
  }
  const steps = listPlanSteps(saga.plan)
  if (steps.length === 0) refuse('it has no steps, only waits')
  const pivots = steps.filter((step) => step.pivot)
  if (pivots.length > 1) refuse(`it has two pivots, "${pivots.map((step) => step.name).join('" and "')}"`)
  const waitProblem = findWaitProblem(saga.plan)
  if (waitProblem !== undefined) refuse(waitProblem)
  const pivotAt = steps.findIndex((step) => step.pivot)
  for (const [at, step] of steps.entries()) {
    const problem = findStepProblem(step, pivotAt === -1 || at < pivotAt ? 'before' : at === pivotAt ? 'at' : 'after')
    if (problem) refuse(`the step "${step.name}" ${problem}`)
  }
}

/** After the pivot nothing leads back, so that a wait there may only end by going on. */
function findWaitProblem(plan: Plan): string | undefined {
  const pivotAt = plan.findIndex((node) => node.kind === 'step' && node.pivot)
  if (pivotAt === -1) return undefined
  const wait = listPlanWaits(plan.slice(pivotAt + 1)).find(
    (one) => (one.for === 'signal' && one.withinMs !== undefined && one.onLapse === 'undo') || one.ifLate === 'undo',
  )
  return wait && `the wait "${wait.name}" leads back when it lapses, but comes after the pivot`
}

function findStepProblem(step: PlanStep, place: 'before' | 'at' | 'after'): string | undefined {
  if (!Number.isSafeInteger(step.deadlineMs) || step.deadlineMs < 1) return 'has a deadlineMs that is not from 1'
  if (!Number.isSafeInteger(step.retry.attempts) || step.retry.attempts < 1) return 'has fewer than one attempt'
  const { minDelayMs, maxDelayMs } = step.retry
  // The plan is JSON, where an infinite delay would come back as none.
  if (!(minDelayMs >= 0 && maxDelayMs >= minDelayMs && maxDelayMs < Infinity))
    return 'has delays that are not 0 <= minDelayMs <= maxDelayMs < Infinity'
  const undeclared = step.retry.declined?.find((name) => !step.errors.includes(name))
  if (undeclared !== undefined)
    return `is tried again when declined as "${undeclared}", which ${step.capability} does not declare`
  if (step.providers?.length === 0) return 'names no provider: leave `to` out, or name one'
  if (step.among?.length === 0) return 'is among no owner: leave `among` out, or name one'
  if (step.risk === 'read' || place === 'at') return undefined
  if (place === 'before' && !step.undo)
    return `cannot be undone: give ${step.capability} an undo in its contract, or place the step after a pivot`
  if (place === 'after' && !step.retriable)
    return 'comes after the pivot, where there is no way back: mark it `retriable: true`, or place it before the pivot'
  return undefined
}

function listNames(plan: Plan): readonly string[] {
  return plan.flatMap((node) =>
    node.kind === 'parallel' ? [node.name, ...node.branches.flatMap(listNames)] : [node.name],
  )
}

function listGroups(plan: Plan): readonly (Plan[number] & { kind: 'parallel' })[] {
  return plan.flatMap((node) => (node.kind === 'parallel' ? [node, ...node.branches.flatMap(listGroups)] : []))
}
