import type { SealedStep } from './saga-event.ts'
import type { SagaState } from './saga-state.ts'

/** Says of each step what became of it, and by whom. */
export function describeSteps(state: SagaState): Readonly<Record<string, SealedStep>> {
  const steps = Object.entries(state.steps).map(([name, step]): [string, SealedStep] => [
    name,
    {
      status: step.snapshot.value,
      capability: step.plan.capability,
      attempts: step.attempts,
      ...(step.provider !== undefined && { provider: step.provider }),
      ...(step.code !== undefined && { code: step.code }),
    },
  ])
  return Object.fromEntries(steps)
}
