import type { SagaDefinition } from '../definition/define-saga.ts'
import { copyJson, findJsonProblem } from '../json-value.ts'
import { backOff, defer, type Moment } from '../kernel/interpret-outcome.ts'
import type { SagaEvent } from '../kernel/saga-event.ts'
import { isPastPivot, type SagaState, type StepState, type WaitState } from '../kernel/saga-state.ts'

/** What preparing a command needs to know of the world. */
export interface Preparation {
  readonly state: SagaState
  /** The code of the saga's version, where this process has it. */
  readonly definition?: SagaDefinition
  /** The agents that could be asked now, where the plan names none. */
  readonly providers: readonly string[]
  /** The orchestrator's name, which makes keys unique beyond it. */
  readonly name: string
  readonly moment: Moment
}

/**
 * Decides how a step goes out: an intent with its provider and its input, mapped once; or why it cannot go out now. The
 * event must be durable before anything is sent.
 */
export function prepareStep(step: StepState, preparation: Preparation): SagaEvent {
  const { state, moment } = preparation
  const { name } = step.plan
  const provider = chooseProvider(step, preparation.providers)
  if (provider === undefined) {
    const last = step.skipped.findLast(({ retryable }) => retryable) ?? step.skipped.at(-1)
    if (!last || last.retryable) return defer(step, last?.code ?? 'mesh.no-provider', moment)
    const again = isPastPivot(state) ? { retryAtMs: backOff(step, moment) } : {}
    return { type: 'refused', step: name, code: last.code, ...again }
  }
  const intent = {
    type: 'intended',
    step: name,
    attempt: step.attempts + 1,
    epoch: state.epoch,
    key: nextKey(step, `${preparation.name}/${state.started.id}/${name}`),
    provider,
  } as const
  if (step.key !== undefined) return intent
  const part = preparation.definition?.steps.get(name)
  if (!part) return { type: 'awaiting-version', version: state.started.definition.version }
  const mapped = runMapper(part.map, state)
  return 'problem' in mapped
    ? { type: 'failed', step: name, code: 'saga.mapping-failed' }
    : { ...intent, input: mapped.value }
}

/** One key for all tries of one command. What was declined stays so for ever: asked again, it is another command. */
function nextKey(step: StepState, first: string): string {
  return step.snapshot.value === 'declined' ? `${first}/${step.attempts + 1}` : (step.key ?? first)
}

function chooseProvider(step: StepState, known: readonly string[]): string | undefined {
  if (step.pinned) return step.provider
  return (step.plan.providers ?? known).find((provider) => !step.skipped.some((one) => one.provider === provider))
}

/** Opens a wait, with the absolute time at which it is over. */
export function prepareWait({ plan }: WaitState, { state, definition, moment }: Preparation): SagaEvent {
  const opened = { type: 'wait-opened', wait: plan.name } as const
  if (plan.withinMs !== undefined) return { ...opened, untilMs: moment.nowMs + plan.withinMs }
  if (plan.for === 'signal') return opened
  const until = definition?.waits.get(plan.name)?.until
  if (!until) return { type: 'awaiting-version', version: state.started.definition.version }
  const mapped = runMapper(until, state)
  if ('problem' in mapped || !Number.isFinite(mapped.value))
    return { type: 'turned', step: plan.name, code: 'saga.mapping-failed' }
  return { ...opened, untilMs: mapped.value as number }
}

/** Ends a completed saga with its output, which is made once. */
export function prepareCompletion({ state, definition }: Preparation): SagaEvent {
  if (!definition) return { type: 'awaiting-version', version: state.started.definition.version }
  const mapped = runMapper(definition.output ?? (({ results }) => results), state)
  return 'problem' in mapped
    ? { type: 'completed', problem: mapped.problem }
    : { type: 'completed', output: mapped.value }
}

/** Runs a mapper of the definition. What it throws may hold a secret, so that only the fact is kept. */
function runMapper(
  map: NonNullable<SagaDefinition['output']>,
  state: SagaState,
): { readonly value: unknown } | { readonly problem: string } {
  const results = Object.values(state.steps)
    .filter((step) => step.snapshot.value === 'committed')
    .map((step): [string, unknown] => [step.plan.name, step.output])
  const signals = Object.values(state.waits)
    .filter((wait) => wait.snapshot.value === 'met' && wait.value !== undefined)
    .map((wait): [string, unknown] => [wait.plan.name, wait.value])
  try {
    const value = map({ saga: state.started.input, results: Object.fromEntries([...results, ...signals]) })
    const problem = findJsonProblem(value ?? null)
    return problem === undefined ? { value: copyJson(value) } : { problem: `its mapper made no JSON: ${problem}` }
  } catch (error) {
    return { problem: `its mapper threw ${error instanceof Error ? error.name : 'no error'}` }
  }
}
