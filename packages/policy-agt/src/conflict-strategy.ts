import { toolkitScopes, type ToolkitRule } from './toolkit-rule.ts'

/** How the toolkit settles rules that disagree. It is an option of its engine, not of a document. */
export const conflictStrategies = [
  'priority_first_match',
  'deny_overrides',
  'allow_overrides',
  'most_specific_wins',
] as const

/** One of `conflictStrategies`. */
export type ConflictStrategy = (typeof conflictStrategies)[number]

/**
 * Orders rules so that the first one that matches is the one that the strategy would choose of all that match. What an
 * inherited document restricts comes first under every strategy: a child adds, and never weakens.
 */
export function orderRules(rules: readonly ToolkitRule[], strategy: ConflictStrategy): readonly ToolkitRule[] {
  return rules.toSorted(
    (left, right) =>
      Number(restrictsFromAbove(right)) - Number(restrictsFromAbove(left)) ||
      weightOf(right, strategy) - weightOf(left, strategy) ||
      right.priority - left.priority,
  )
}

function restrictsFromAbove({ inherited, action }: ToolkitRule): boolean {
  return inherited && (action === 'deny' || action === 'require_approval')
}

function weightOf({ action, scope }: ToolkitRule, strategy: ConflictStrategy): number {
  switch (strategy) {
    case 'priority_first_match':
      return 0
    case 'deny_overrides':
      return action === 'deny' ? 1 : 0
    case 'allow_overrides':
      return action === 'allow' ? 1 : 0
    case 'most_specific_wins':
      return toolkitScopes.indexOf(scope)
  }
}
