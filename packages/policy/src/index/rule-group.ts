import type { Condition } from '../condition/condition.ts'
import type { HopView } from '../condition/hop-view.ts'
import type { IndexClause } from '../condition/index-clause.ts'
import type { ClauseCheck } from './clause-check.ts'

/** A rule with its place among all rules of an index. */
export interface Entry<Rule> {
  readonly rule: Rule
  readonly order: number
  /** The quick form of `evaluate`, where there is one. */
  readonly check: ClauseCheck | undefined
  readonly evaluate: Condition['evaluate']
}

/** An entry with the clause by which it is found; `rest` is the same entry where that clause is known to hold. */
export interface PlacedEntry<Rule, Clause extends IndexClause> {
  readonly clause: Clause
  readonly entry: Entry<Rule>
  readonly rest: Entry<Rule>
}

/** Rules that are found by the same kind of clause over the same value. */
export interface RuleGroup<Rule> {
  /**
   * Gives, in their order, all rules that could match or fail, or at least the first of them that does; one by itself, not
   * in a list. Where the value cannot be read, that is every rule of the group.
   */
  select(view: HopView): Entry<Rule> | readonly Entry<Rule>[] | undefined
  /** The same, but all of them, where `select` gives the first. */
  selectAll?(view: HopView): readonly Entry<Rule>[]
}

/** The rules that a bucket holds. Most hold one, and a look at it should touch as little memory as possible. */
export type Bucket<Rule> = Entry<Rule> | Entry<Rule>[]

/** Adds a rule to the bucket of `key`. */
export function addToBucket<Rule>(buckets: Map<unknown, Bucket<Rule>>, key: unknown, entry: Entry<Rule>): void {
  const bucket = buckets.get(key)
  if (bucket === undefined) buckets.set(key, entry)
  else if (Array.isArray(bucket)) bucket.push(entry)
  else buckets.set(key, [bucket, entry])
}
