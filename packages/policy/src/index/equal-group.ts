import { Failure } from '../condition/failure.ts'
import type { IndexClause } from '../condition/index-clause.ts'
import { noEntries, type Entry, type RuleGroup } from './rule-group.ts'

/** Groups rules that test one value by equality. */
export function createEqualGroup<Rule>(
  list: readonly (readonly [IndexClause & { readonly kind: 'equal' }, Entry<Rule>])[],
): RuleGroup<Rule> {
  const buckets = new Map<unknown, Entry<Rule>[]>()
  for (const [{ values }, entry] of list)
    for (const value of new Set(values)) {
      const bucket = buckets.get(value)
      if (bucket) bucket.push(entry)
      else buckets.set(value, [entry])
    }
  const every = list.map(([, entry]) => entry)
  const read = list[0]?.[0].read
  return {
    select(view) {
      const value = read?.(view)
      return buckets.get(value) ?? (value instanceof Failure ? every : noEntries)
    },
  }
}
