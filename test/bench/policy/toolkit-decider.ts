import { PolicyEngine } from '@microsoft/agent-governance-sdk'
import type { Decider } from './decider.ts'
import type { BenchRule } from './rule-set.ts'

/** Loads the rules into the toolkit's rich engine. It has no test of a prefix: it is given the prefix as a field to compare. */
export function createToolkitDecider(rules: readonly BenchRule[]): Decider {
  const engine = new PolicyEngine()
  engine.loadPolicy({
    apiVersion: 'governance.toolkit/v1',
    name: 'bench',
    default_action: 'deny',
    rules: rules.map(({ name, action, prefix, lowestScore, isDeny }) => ({
      name,
      condition: [
        ...(action === undefined ? [] : [`action == '${action}'`]),
        ...(prefix === undefined ? [] : [`prefix == '${prefix}'`]),
        ...(lowestScore === undefined ? [] : [`caller.score >= ${String(lowestScore)}`]),
      ].join(' and '),
      ruleAction: isDeny ? ('deny' as const) : ('allow' as const),
    })),
  })
  return {
    name: 'agent-governance-sdk',
    prepare: ({ action, resource, score }) => ({ action, resource, prefix: resource.split('/')[0], caller: { score } }),
    decide: (prepared) => engine.evaluatePolicy('did:mesh:caller', prepared as Record<string, unknown>),
    read(decision) {
      const { action, matchedRule } = decision as { readonly action: string; readonly matchedRule?: string }
      return `${action} ${matchedRule ?? 'default'}`
    },
  }
}
