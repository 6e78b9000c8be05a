import type { PolicySource } from '@parley/policy'

const rules = 100
/** Rules that hold for any action and have to be evaluated at every hop; the others name an action and are found by it. */
const scannedRules = 10

/** A document of 100 rules: one that allows the hop, ten that are evaluated for every action, and others as a service has. */
export const benchPolicy: PolicySource = { file: 'bench.yaml', text: formatDocument() }

function formatDocument(): string {
  const lines = ['apiVersion: parley/v1', 'name: bench', 'default: deny', 'rules:']
  for (let at = 0; at < scannedRules; at++)
    lines.push(
      `  - name: no-label-${String(at)}`,
      `    when: "'secret-${String(at)}' in labels && peer.score < 900"`,
      '    effect: deny',
    )
  for (let at = 0; at < rules - scannedRules - 1; at++)
    lines.push(
      `  - name: other-${String(at)}`,
      `    when: "action == 'orders:op${String(at)}' && body.amount > ${String(at)}.5"`,
      `    effect: ${at % 3 === 0 ? 'deny' : 'allow'}`,
    )
  lines.push(
    '  - name: caller-says',
    `    when: "action == 'echo:say' && caller.name == 'bench/caller' && size(body.text) < 1000"`,
    '    effect: allow',
  )
  return lines.join('\n')
}
