import type { PolicySource } from '@parley/policy'

const rules = 100

/** A document of 100 rules, as both sides of every governed call have it: one allows the tools, the others are about something else. */
export const cascadePolicy: PolicySource = { file: 'cascade.yaml', text: formatDocument() }

/**
 * How often a node says that it is there, in milliseconds. A process of one agent hears each announcement once; the one of
 * this bench, which fifty agents share, hears it fifty times: they announce fifty times less often than the default of two
 * seconds, so that it has as many to verify as a process of one agent.
 */
export function heartbeatOf(agents: number): number {
  return 2_000 * agents
}

function formatDocument(): string {
  const lines = ['apiVersion: parley/v1', 'name: cascade', 'default: deny', 'rules:']
  for (let at = 1; at < rules; at++)
    lines.push(
      `  - name: other-${String(at)}`,
      `    when: "action == 'orders:op${String(at)}' && body.amount > ${String(at)}.5"`,
      `    effect: ${at % 3 === 0 ? 'deny' : 'allow'}`,
    )
  lines.push(
    '  - name: agents-use-tools',
    "    when: \"action.endsWith(':use') && caller.name.startsWith('bench/agent-') && body.depth < 3\"",
    '    effect: allow',
  )
  return lines.join('\n')
}
