import type { IndexClause } from '../condition/index-clause.ts'
import { noEntries, type Entry, type RuleGroup } from './rule-group.ts'

/** Longer prefixes are found by their start alone: each length is a group of its own, and there must not be many. */
const maxLength = 24

/** The length by which a prefix is found. */
export function bucketLength(prefix: string): number {
  return Math.min(prefix.length, maxLength)
}

/** Groups rules that test the start of one text, all for a start of the same length. */
export function createPrefixGroup<Rule>(
  list: readonly (readonly [IndexClause & { readonly kind: 'prefix' }, Entry<Rule>])[],
): RuleGroup<Rule> {
  const length = bucketLength(list[0]?.[0].prefix ?? '')
  const buckets = new Map<string, Entry<Rule>[]>()
  for (const [{ prefix }, entry] of list) {
    const start = prefix.slice(0, length)
    const bucket = buckets.get(start)
    if (bucket) bucket.push(entry)
    else buckets.set(start, [entry])
  }
  const every = list.map(([, entry]) => entry)
  const read = list[0]?.[0].read
  return {
    select(view) {
      const value = read?.(view)
      // What is no text makes the clause fail.
      return typeof value === 'string' ? (buckets.get(value.slice(0, length)) ?? noEntries) : every
    },
  }
}
