import type { PolicyRule } from './policy-rule.ts'

/** Finds the rules that can hold for an action. */
export interface RuleIndex {
  /** Returns them in the order of the document. */
  find(action: string): readonly PolicyRule[]
}

interface Placed {
  readonly place: number
  readonly rule: PolicyRule
}

/** Indexes rules by the actions that their condition requires; a rule that requires none is found for every action. */
export function createRuleIndex(rules: readonly PolicyRule[]): RuleIndex {
  const byAction = new Map<string, Placed[]>()
  const scanned: Placed[] = []
  for (const [place, rule] of rules.entries()) {
    const { actions } = rule.condition
    if (actions === undefined) scanned.push({ place, rule })
    for (const action of new Set(actions)) {
      const bucket = byAction.get(action)
      if (bucket === undefined) byAction.set(action, [{ place, rule }])
      else bucket.push({ place, rule })
    }
  }
  const always = scanned.map(({ rule }) => rule)
  return {
    find(action) {
      const bucket = byAction.get(action)
      return bucket === undefined ? always : merge(bucket, scanned)
    },
  }
}

function merge(left: readonly Placed[], right: readonly Placed[]): readonly PolicyRule[] {
  const merged: PolicyRule[] = []
  let next = 0
  for (const { place, rule } of left) {
    for (let other = right[next]; other !== undefined && other.place < place; other = right[++next]) {
      merged.push(other.rule)
    }
    merged.push(rule)
  }
  for (; next < right.length; next++) {
    const other = right[next]
    if (other !== undefined) merged.push(other.rule)
  }
  return merged
}
