import type { Condition, ConditionClause } from '../condition/condition.ts'
import type { Failure } from '../condition/failure.ts'
import type { HopView } from '../condition/hop-view.ts'
import type { IndexClause } from '../condition/index-clause.ts'
import { createBoundGroup } from './bound-group.ts'
import { createCheckMaker, holdAll, type MakeChecks } from './clause-check.ts'
import { createEqualGroup } from './equal-group.ts'
import { bucketLength, createPrefixGroup } from './prefix-group.ts'
import type { Entry, PlacedEntry, RuleGroup } from './rule-group.ts'

/** What an index needs of a rule. */
export interface IndexedRule {
  readonly condition: Condition
  /** A search goes on after it where it fails: an allow that cannot be evaluated does not allow, and does not deny either. */
  readonly isSkippedOnFailure: boolean
}

/** A rule that could not be evaluated. */
export interface FailedRule<Rule> {
  readonly rule: Rule
  readonly failure: Failure
}

/**
 * Finds rules by what they test, so that those that cannot match cost nothing.
 *
 * I1 It finds exactly what a scan of all rules in their order finds.
 */
export interface RuleIndex<Rule> {
  readonly size: number
  /**
   * Finds the first rule in their order that matches, or that fails: undecided is no reason to go on. Rules that are
   * skipped on failure and stand before it are added to `skipped`.
   */
  first(view: HopView, skipped: Skipped<Rule>): Rule | FailedRule<Rule> | undefined
  /** Visits every rule that matches or fails, in their order. */
  each(view: HopView, visit: (rule: Rule, failure: Failure | undefined) => void): void
}

/** Where rules go that were skipped; a list is only made for the first of them. */
export interface Skipped<Rule> {
  rules: FailedRule<Rule>[] | undefined
}

/** Tells whether what an index found is a rule that failed. */
export function isFailedRule<Rule extends object>(found: Rule | FailedRule<Rule>): found is FailedRule<Rule> {
  return 'failure' in found
}

/** Indexes rules, each by the clause that leaves the fewest others in its bucket; the rest is scanned. */
export function createRuleIndex<Rule extends IndexedRule>(rules: readonly Rule[]): RuleIndex<Rule> {
  const makeChecks = createCheckMaker()
  const entries = rules.map((rule, order): Entry<Rule> => ({
    rule,
    order,
    check: makeChecks(rule.condition.clauses),
    evaluate: rule.condition.evaluate,
  }))
  const groups = groupEntries(entries, makeChecks)
  return {
    size: rules.length,
    first(view, skipped) {
      let best: Entry<Rule> | undefined
      let failure: Failure | undefined
      let failed: FailedEntry<Rule>[] | undefined
      for (const group of groups) {
        const found = group.select(view)
        if (found === undefined) continue
        const isList = Array.isArray(found)
        for (let at = 0; ; at++) {
          const entry = isList ? (found as readonly Entry<Rule>[])[at] : (found as Entry<Rule>)
          if (entry === undefined || (best !== undefined && entry.order > best.order)) break
          const value = evaluateEntry(entry, view)
          if (value !== false) {
            if (value === true || !entry.rule.isSkippedOnFailure) {
              best = entry
              failure = value === true ? undefined : value
              break
            }
            ;(failed ??= []).push({ entry, failure: value })
          }
          if (!isList) break
        }
      }
      if (failed) tellSkipped(failed, best, skipped)
      if (best === undefined) return undefined
      return failure === undefined ? best.rule : { rule: best.rule, failure }
    },
    each(view, visit) {
      const found: { readonly entry: Entry<Rule>; readonly failure: Failure | undefined }[] = []
      for (const group of groups)
        for (const entry of listOf((group.selectAll ?? group.select)(view))) {
          const value = evaluateEntry(entry, view)
          if (value !== false) found.push({ entry, failure: value === true ? undefined : value })
        }
      found.sort((left, right) => left.entry.order - right.entry.order)
      for (const { entry, failure } of found) visit(entry.rule, failure)
    },
  }
}

function evaluateEntry<Rule>(entry: Entry<Rule>, view: HopView): boolean | Failure {
  const { check } = entry
  return (check && holdAll(check, view)) ?? entry.evaluate(view)
}

function listOf<Rule>(found: Entry<Rule> | readonly Entry<Rule>[] | undefined): readonly Entry<Rule>[] {
  if (found === undefined) return []
  return 'order' in found ? [found] : found
}

interface FailedEntry<Rule> {
  readonly entry: Entry<Rule>
  readonly failure: Failure
}

function tellSkipped<Rule>(failed: FailedEntry<Rule>[], best: Entry<Rule> | undefined, skipped: Skipped<Rule>): void {
  failed.sort((left, right) => left.entry.order - right.entry.order)
  for (const { entry, failure } of failed)
    if (best === undefined || entry.order < best.order) (skipped.rules ??= []).push({ rule: entry.rule, failure })
}

function groupEntries<Rule extends IndexedRule>(
  entries: readonly Entry<Rule>[],
  makeChecks: MakeChecks,
): readonly RuleGroup<Rule>[] {
  const sizes = countBuckets(entries)
  const equal = createGrouping<PlacedEntry<Rule, IndexClause & { readonly kind: 'equal' }>>()
  const prefix = createGrouping<PlacedEntry<Rule, IndexClause & { readonly kind: 'prefix' }>>()
  const bound = createGrouping<PlacedEntry<Rule, IndexClause & { readonly kind: 'bound' }>>()
  const scanned: Entry<Rule>[] = []
  for (const entry of entries) {
    const { condition } = entry.rule
    const chosen = chooseClause(condition, sizes)
    const clause = chosen?.index
    if (!clause) {
      scanned.push(entry)
      continue
    }
    const check = makeChecks(condition.clauses.filter((other) => other !== chosen))
    const rest = { ...entry, check, evaluate: condition.without(chosen) }
    if (clause.kind === 'equal') equal.add(clause.path, { clause, entry, rest })
    else if (clause.kind === 'prefix')
      prefix.add(`${clause.path} ${bucketLength(clause.prefix)}`, { clause, entry, rest })
    else bound.add(`${clause.path} ${clause.op}`, { clause, entry, rest })
  }
  return [
    ...equal.lists().map(createEqualGroup<Rule>),
    ...prefix.lists().map(createPrefixGroup<Rule>),
    ...bound.lists().map(createBoundGroup<Rule>),
    ...(scanned.length > 0 ? [{ select: () => scanned }] : []),
  ]
}

interface Grouping<Item> {
  add(key: string, item: Item): void
  lists(): readonly (readonly Item[])[]
}

function createGrouping<Item>(): Grouping<Item> {
  const byKey = new Map<string, Item[]>()
  return {
    add(key, item) {
      const list = byKey.get(key)
      if (list) list.push(item)
      else byKey.set(key, [item])
    },
    lists: () => [...byKey.values()],
  }
}

/** The keys of the buckets that a clause would put its rule into. */
function bucketsOf(clause: IndexClause): readonly string[] {
  if (clause.kind === 'equal') return clause.values.map((value) => `= ${clause.path} ${typeof value} ${String(value)}`)
  return clause.kind === 'prefix' ? [`^ ${clause.path} ${clause.prefix}`] : []
}

function countBuckets(entries: readonly Entry<IndexedRule>[]): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>()
  for (const { rule } of entries)
    for (const { index } of rule.condition.clauses)
      if (index) for (const key of bucketsOf(index)) sizes.set(key, (sizes.get(key) ?? 0) + 1)
  return sizes
}

/** A comparison with a number only helps where it is the whole condition: else every rule below it had to be evaluated. */
function chooseClause({ clauses }: Condition, sizes: ReadonlyMap<string, number>): ConditionClause | undefined {
  let best: ConditionClause | undefined
  let bestSize = Infinity
  for (const clause of clauses) {
    const { index } = clause
    if (!index || index.kind === 'bound') continue
    const size = Math.max(...bucketsOf(index).map((key) => sizes.get(key) ?? 0))
    if (size >= bestSize) continue
    best = clause
    bestSize = size
  }
  return best ?? (clauses.length === 1 ? clauses[0] : undefined)
}
