import { Failure } from '../condition/failure.ts'
import type { IndexClause } from '../condition/index-clause.ts'
import { addToBucket, type Bucket, type PlacedEntry, type RuleGroup } from './rule-group.ts'

/** Groups rules that test one value by equality. */
export function createEqualGroup<Rule>(
  list: readonly PlacedEntry<Rule, IndexClause & { readonly kind: 'equal' }>[],
): RuleGroup<Rule> {
  const buckets = new Map<unknown, Bucket<Rule>>()
  for (const { clause, rest } of list) for (const value of new Set(clause.values)) addToBucket(buckets, value, rest)
  const every = list.map(({ entry }) => entry)
  const read = list[0]?.clause.read
  return {
    select(view) {
      const value = read?.(view)
      return buckets.get(value) ?? (value instanceof Failure ? every : undefined)
    },
  }
}
