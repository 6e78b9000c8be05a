import type { IndexClause } from '../condition/index-clause.ts'
import { addToBucket, type Bucket, type PlacedEntry, type RuleGroup } from './rule-group.ts'

/** Longer prefixes are found by their start alone: each length is a group of its own, and there must not be many. */
const maxLength = 24

/** The length by which a prefix is found. */
export function bucketLength(prefix: string): number {
  return Math.min(prefix.length, maxLength)
}

/** Groups rules that test the start of one text, all for a start of the same length. */
export function createPrefixGroup<Rule>(
  list: readonly PlacedEntry<Rule, IndexClause & { readonly kind: 'prefix' }>[],
): RuleGroup<Rule> {
  const length = bucketLength(list[0]?.clause.prefix ?? '')
  const buckets = new Map<unknown, Bucket<Rule>>()
  for (const { clause, entry, rest } of list) {
    const start = clause.prefix.slice(0, length)
    addToBucket(buckets, start, start === clause.prefix ? rest : entry)
  }
  const every = list.map(({ entry }) => entry)
  const read = list[0]?.clause.read
  return {
    select(view) {
      const value = read?.(view)
      // What is no text makes the clause fail.
      return typeof value === 'string' ? buckets.get(value.slice(0, length)) : every
    },
  }
}
