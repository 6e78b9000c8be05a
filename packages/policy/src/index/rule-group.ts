import type { Condition } from '../condition/condition.ts'
import type { HopView } from '../condition/hop-view.ts'

/** A rule with its place among all rules of an index. */
export interface Entry<Rule> {
  readonly rule: Rule
  readonly order: number
  readonly evaluate: Condition['evaluate']
}

/** Rules that are found by the same kind of clause over the same value. */
export interface RuleGroup<Rule> {
  /**
   * Gives, in their order, all rules that could match or fail, or at least the first of them that does. Where the value
   * cannot be read, that is every rule of the group.
   */
  select(view: HopView): readonly Entry<Rule>[]
  /** The same, but all of them, where `select` gives the first. */
  selectAll?(view: HopView): readonly Entry<Rule>[]
}

/** What a group gives where no rule could match. */
export const noEntries: readonly never[] = []
