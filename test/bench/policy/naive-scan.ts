import type { BenchInput, BenchRule } from './rule-set.ts'

/** Decides by looking at every rule, with none of our code: the first deny that matches, else the first allow. */
export function scanRules(rules: readonly BenchRule[], input: BenchInput): string {
  let allow: BenchRule | undefined
  for (const rule of rules) {
    if (!matches(rule, input)) continue
    if (rule.isDeny) return `deny ${rule.name}`
    allow ??= rule
  }
  return allow ? `allow ${allow.name}` : 'deny default'
}

function matches({ action, prefix, lowestScore }: BenchRule, input: BenchInput): boolean {
  if (action !== undefined && action !== input.action) return false
  if (prefix !== undefined && !input.resource.startsWith(`${prefix}/`)) return false
  return lowestScore === undefined || input.score >= lowestScore
}
