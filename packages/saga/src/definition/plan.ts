import { MeshError, type AgentName, type Capability, type Risk } from '@parley/protocol'

/** How often and how patiently a step is tried. */
export interface RetryPlan {
  /** Most attempts that may leave this process, the first included. */
  readonly attempts: number
  readonly minDelayMs: number
  readonly maxDelayMs: number
  /** Declared errors that may pass by themselves: declined so, the step is asked again, as a command of its own. */
  readonly declined?: readonly string[]
}

/** One step of a plan: everything that sending, looking up and undoing it needs, without the definition's code. */
export interface PlanStep {
  readonly kind: 'step'
  readonly name: string
  readonly capability: Capability
  /** Hash of the contract's capability, which the participant compares. */
  readonly hash: string
  readonly risk: Risk
  readonly undo: boolean
  /** Commands of this step travel encrypted; absent where the contract does not ask for it. */
  readonly confidential?: true
  /** Names of the errors that the contract declares. */
  readonly errors: readonly string[]
  readonly pivot: boolean
  readonly retriable: boolean
  /** Its participant keeps something from other sagas: it is told when the saga is over. */
  readonly locks?: true
  /** Agents to ask, in order. Without it, who provides the capability at the moment of sending. */
  readonly providers?: readonly AgentName[]
  /** Aliases of the owners whose agents may be asked, in order. Without it, the node's own. */
  readonly among?: readonly string[]
  readonly deadlineMs: number
  readonly retry: RetryPlan
  /** The chain to act under, where it differs from the saga's. */
  readonly delegation?: readonly string[]
}

/** Branches that run at the same time; each is a sequence of its own. */
export interface PlanGroup {
  readonly kind: 'parallel'
  readonly name: string
  readonly branches: readonly Plan[]
}

/** A part that goes on when somebody says so, or when a time has come. */
export interface PlanWait {
  readonly kind: 'wait'
  readonly name: string
  readonly for: 'signal' | 'time'
  /** Hash of the JSON Schema of what is signalled. */
  readonly hash?: string
  /** Milliseconds after it opened in which a signal must come, or after which the time has come; else as it was mapped. */
  readonly withinMs?: number
  /** What a signal that did not come in time leads to. */
  readonly onLapse: 'undo' | 'continue'
  /** What follows where the time was over by more than a minute before anybody looked, as after an outage. */
  readonly ifLate: 'continue' | 'wait-again' | 'undo'
}

/** One part of a sequence. */
export type PlanNode = PlanStep | PlanGroup | PlanWait

/** A sequence of parts, as data: what the journal holds and the kernel runs. */
export type Plan = readonly PlanNode[]

/** Node kinds that the format has room for and this version does not run. */
export const reservedPlanKinds: readonly string[] = ['choose', 'map', 'repeat', 'child', 'decide']

/** Lists the steps of a plan, in the order in which they are written. */
export function listPlanSteps(plan: Plan): readonly PlanStep[] {
  return plan.flatMap((node) => {
    if (node.kind === 'parallel') return node.branches.flatMap(listPlanSteps)
    return node.kind === 'step' ? [node] : []
  })
}

/** Lists the waits of a plan, in the order in which they are written. */
export function listPlanWaits(plan: Plan): readonly PlanWait[] {
  return plan.flatMap((node) => {
    if (node.kind === 'parallel') return node.branches.flatMap(listPlanWaits)
    return node.kind === 'wait' ? [node] : []
  })
}

/**
 * Accepts a plan that came out of a journal. Throws `saga.plan-unsupported` for a node kind that is reserved or unknown,
 * and `saga.journal-corrupt` for anything that is no plan.
 */
export function parsePlan(value: unknown): Plan {
  if (!Array.isArray(value)) throw new MeshError('saga.journal-corrupt', 'the plan of the saga is not a list')
  return value.map(parsePlanNode)
}

function parsePlanNode(value: unknown): PlanNode {
  const node = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  const { kind, name } = node
  if (typeof name !== 'string' || typeof kind !== 'string')
    throw new MeshError('saga.journal-corrupt', 'a part of the plan has no name or no kind')
  if (kind === 'parallel') {
    if (!Array.isArray(node['branches']))
      throw new MeshError('saga.journal-corrupt', `the group "${name}" has no branches`)
    return { kind, name, branches: node['branches'].map(parsePlan) }
  }
  if (kind === 'wait') {
    if (!isPlanWait(node)) throw new MeshError('saga.journal-corrupt', `the wait "${name}" of the plan is incomplete`)
    return node
  }
  if (kind !== 'step') {
    const known = reservedPlanKinds.includes(kind) ? 'reserved for a later version' : 'unknown'
    throw new MeshError('saga.plan-unsupported', `the part "${name}" is of the kind "${kind}", which is ${known}`)
  }
  if (!isPlanStep(node)) throw new MeshError('saga.journal-corrupt', `the step "${name}" of the plan is incomplete`)
  return node
}

function isPlanWait(node: object): node is PlanWait {
  const wait = node as Partial<PlanWait>
  return (
    (wait.for === 'signal' || wait.for === 'time') &&
    (wait.withinMs === undefined || typeof wait.withinMs === 'number') &&
    (wait.onLapse === 'undo' || wait.onLapse === 'continue') &&
    ['continue', 'wait-again', 'undo'].includes(wait.ifLate ?? '')
  )
}

function isPlanStep(node: object): node is PlanStep {
  const step = node as Partial<PlanStep>
  return (
    typeof step.capability === 'string' &&
    typeof step.hash === 'string' &&
    typeof step.risk === 'string' &&
    typeof step.undo === 'boolean' &&
    typeof step.pivot === 'boolean' &&
    typeof step.retriable === 'boolean' &&
    typeof step.deadlineMs === 'number' &&
    Array.isArray(step.errors) &&
    (step.providers === undefined || Array.isArray(step.providers)) &&
    (step.among === undefined || Array.isArray(step.among)) &&
    (step.retry?.declined === undefined || Array.isArray(step.retry.declined)) &&
    typeof step.retry?.attempts === 'number' &&
    typeof step.retry.minDelayMs === 'number' &&
    typeof step.retry.maxDelayMs === 'number'
  )
}
