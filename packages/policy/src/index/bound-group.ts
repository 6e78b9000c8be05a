import type { IndexClause } from '../condition/index-clause.ts'
import { type Entry, type PlacedEntry, type RuleGroup } from './rule-group.ts'

/**
 * Groups rules whose whole condition compares one value with a number, in one direction. Sorted by the number, those that
 * hold are a run from the start, and the first of them in the document's order is known beforehand for every run.
 */
export function createBoundGroup<Rule>(
  list: readonly PlacedEntry<Rule, IndexClause & { readonly kind: 'bound' }>[],
): RuleGroup<Rule> {
  const op = list[0]?.clause.op ?? '>='
  // `value < bound` is `-value > -bound`, so that only two directions are left.
  const sign = op === '<' || op === '<=' ? -1 : 1
  const isStrict = op === '<' || op === '>'
  const sorted = list
    .map(({ clause, rest }) => ({ bound: sign * clause.bound, entry: rest }))
    .sort((left, right) => left.bound - right.bound)
  const bounds = Float64Array.from(sorted, ({ bound }) => bound)
  const firsts = runningFirst(sorted.map(({ entry }) => entry))
  const every = list.map(({ entry }) => entry)
  const read = list[0]?.clause.read
  return {
    select(view) {
      const value = read?.(view)
      // What is no number makes the clause fail.
      if (typeof value !== 'number') return every
      return firsts[countBelow(bounds, sign * value, isStrict) - 1]
    },
    selectAll(view) {
      const value = read?.(view)
      if (typeof value !== 'number') return every
      return sorted.slice(0, countBelow(bounds, sign * value, isStrict)).map(({ entry }) => entry)
    },
  }
}

/** For every run from the start the entry with the lowest order. */
function runningFirst<Rule>(entries: readonly Entry<Rule>[]): readonly Entry<Rule>[] {
  let first: Entry<Rule> | undefined
  return entries.map((entry) => (first = first === undefined || entry.order < first.order ? entry : first))
}

/** Counts how many sorted bounds are below `value`, or equal to it unless `isStrict`. Of NaN, none. */
function countBelow(bounds: Float64Array, value: number, isStrict: boolean): number {
  let low = 0
  let high = bounds.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const bound = bounds[middle] ?? Infinity
    if (isStrict ? bound < value : bound <= value) low = middle + 1
    else high = middle
  }
  return low
}
