import type { ContractCapability, Schema } from '@parley/mesh'
import type { PlanStep } from '../definition/plan.ts'

/**
 * Makes what a node calls from a plan alone, so that lookups and undos need no registered definition. Schemas let
 * everything pass: the participant checks with its own, under the hash that both agree on.
 */
export function toStepCapability(plan: PlanStep): ContractCapability {
  return {
    capability: plan.capability,
    input: anything,
    output: anything,
    errors: Object.fromEntries(plan.errors.map((name) => [name, anything])),
    risk: plan.risk,
    undo: plan.undo,
    confidential: plan.confidential === true,
    hash: plan.hash,
  }
}

const anything: Schema = {
  '~standard': {
    version: 1,
    vendor: 'parley',
    validate: (value) => ({ value }),
    jsonSchema: { input: () => ({}), output: () => ({}) },
  },
}
