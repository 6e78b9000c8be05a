import {
  compilePolicy,
  decidePolicy,
  noDelegation,
  noObjective,
  type PolicyDecision,
  type PolicyInput,
  type PolicyPeer,
} from '@parley/policy'
import type { Decider } from './decider.ts'
import type { BenchRule } from './rule-set.ts'

const peer: PolicyPeer = {
  name: 'bench/caller',
  owner: 'did:key:zOwner',
  instance: 'did:key:zCaller',
  kind: 'agent',
  assurance: 0,
  tier: 'verified',
  score: 1_000,
  grants: true,
  grantsByName: true,
}

/** Compiles the rules as a document beside the two that are built in, as a node does. */
export function createParleyDecider(rules: readonly BenchRule[]): Decider {
  const set = compilePolicy([{ file: 'bench.yaml', text: formatDocument(rules) }])
  return {
    name: 'parley',
    prepare: ({ action, resource, score }): PolicyInput => ({
      action: `bench:${action}`,
      direction: 'inbound',
      phase: 'do',
      risk: 'reversible',
      caller: { ...peer, score },
      callee: peer,
      onBehalfOf: '',
      labels: [],
      obligations: [],
      delegation: noDelegation,
      hop: { index: 0, path: [peer.name] },
      saga: { present: false, id: '', step: '', attempt: 0 },
      objective: () => noObjective,
      body: () => ({ resource }),
      time: { nowMs: 1_767_274_200_000 },
    }),
    decide: (prepared) => decidePolicy(set, prepared as PolicyInput),
    read(decision) {
      const { kind, rule } = decision as PolicyDecision
      return `${kind} ${rule}`
    },
  }
}

function formatDocument(rules: readonly BenchRule[]): string {
  const lines = ['apiVersion: parley/v1', 'name: bench', 'default: deny', 'rules:']
  for (const { name, action, prefix, lowestScore, isDeny } of rules) {
    const clauses = [
      ...(action === undefined ? [] : [`action == 'bench:${action}'`]),
      ...(prefix === undefined ? [] : [`body.resource.startsWith('${prefix}/')`]),
      ...(lowestScore === undefined ? [] : [`caller.score >= ${String(lowestScore)}`]),
    ]
    lines.push(`  - { name: ${name}, effect: ${isDeny ? 'deny' : 'allow'}, when: "${clauses.join(' && ')}" }`)
  }
  return lines.join('\n')
}
