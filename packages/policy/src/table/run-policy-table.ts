import { decidePolicy, type PolicyDecision } from '../decide-policy.ts'
import type { PolicySet } from '../policy-set.ts'
import type { PolicyTable, TableCase } from './policy-table.ts'

/** What became of one case. */
export interface TableResult {
  readonly name: string
  readonly line: number
  readonly passed: boolean
  /** What was said, for instance `deny policy.denied by desk#no-pianos`. */
  readonly found: string
  readonly expected: string
}

/** Decides every case of a table and holds it against what the table expects. */
export function runPolicyTable(set: PolicySet, { cases }: PolicyTable): readonly TableResult[] {
  return cases.map((each) => {
    const decision = decidePolicy(set, each.input)
    const { name, line } = each
    return { name, line, passed: holds(each, decision), found: describe(decision), expected: describeExpected(each) }
  })
}

function holds({ expect, rule, code }: TableCase, decision: PolicyDecision): boolean {
  const found = verdictOf(decision)
  const isRule = rule === undefined || rule === `${decision.document}#${decision.rule}`
  const isCode = code === undefined || (decision.kind === 'deny' && decision.code === code)
  return found === expect && isRule && isCode
}

function verdictOf(decision: PolicyDecision): string {
  return decision.kind === 'deny' && decision.approval ? 'require_approval' : decision.kind
}

function describe(decision: PolicyDecision): string {
  const code = decision.kind === 'deny' ? ` ${decision.code}` : ''
  return `${verdictOf(decision)}${code} by ${decision.document}#${decision.rule}`
}

function describeExpected({ expect, rule, code }: TableCase): string {
  return `${expect}${code === undefined ? '' : ` ${code}`}${rule === undefined ? '' : ` by ${rule}`}`
}
