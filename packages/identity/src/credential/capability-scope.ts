import { capabilityCovers, createCoverage, isCapabilityPattern } from '@parley/protocol'
import { isListClaim } from '../jwt/claim.ts'

/**
 * A set of capabilities: patterns, or the word `'all'`. "All" is a word of its own because a bare `*` is invalid everywhere
 * and an absent list must never be read as everything.
 */
export type CapabilityScope = 'all' | readonly string[]

/** Tells whether a value is `'all'` or a list of at most 256 capability patterns. */
export function isCapabilityScope(value: unknown): value is CapabilityScope {
  return value === 'all' || isListClaim(value, isCapabilityPattern)
}

/** Tells whether a scope grants everything that a capability or pattern grants. */
export function scopeCovers(scope: CapabilityScope, pattern: string): boolean {
  return scope === 'all' || scope.some((granted) => capabilityCovers(granted, pattern))
}

/** Finds what a scope does not grant of a list of capabilities or patterns; undefined if it grants all of them. */
export function findBeyondScope(scope: CapabilityScope, patterns: readonly string[]): string | undefined {
  if (scope === 'all') return undefined
  const isGranted = createCoverage(scope)
  return patterns.find((pattern) => !isGranted(pattern))
}
