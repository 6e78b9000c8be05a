import { createRequire } from 'node:module'
import type { AuthorizationAnswer, StatefulAuthorizationCall } from '@cedar-policy/cedar-wasm/nodejs'
import type { Decider } from './decider.ts'
import type { BenchRule } from './rule-set.ts'

type CedarModule = typeof import('@cedar-policy/cedar-wasm/nodejs')

/** Preparses the rules as one Cedar policy set. */
export function createCedarDecider(rules: readonly BenchRule[]): Decider {
  const cedar = createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs') as CedarModule
  const policies = Object.fromEntries(rules.map((rule) => [rule.name, formatPolicy(rule)]))
  const preparsedPolicySetId = `bench-${String(rules.length)}`
  const parsed = cedar.preparsePolicySet(preparsedPolicySetId, { staticPolicies: policies })
  if (parsed.type === 'failure') throw new Error(parsed.errors.map(({ message }) => message).join('; '))
  return {
    name: 'cedar-wasm',
    prepare: ({ action, resource, score }): StatefulAuthorizationCall => ({
      principal: { type: 'Agent', id: 'caller' },
      action: { type: 'Action', id: action },
      resource: { type: 'Resource', id: 'resource' },
      context: { resource, score },
      entities: [],
      preparsedPolicySetId,
    }),
    decide: (prepared) => cedar.statefulIsAuthorized(prepared as StatefulAuthorizationCall),
    read(decision) {
      const answer = decision as AuthorizationAnswer
      if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('; '))
      return answer.response.decision
    },
  }
}

function formatPolicy({ action, prefix, lowestScore, isDeny }: BenchRule): string {
  const clauses = [
    ...(prefix === undefined ? [] : [`context.resource like "${prefix}/*"`]),
    ...(lowestScore === undefined ? [] : [`context.score >= ${String(lowestScore)}`]),
  ]
  const scope = action === undefined ? 'action' : `action == Action::"${action}"`
  return `${isDeny ? 'forbid' : 'permit'}(principal, ${scope}, resource) when { ${clauses.join(' && ')} };`
}
