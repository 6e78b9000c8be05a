import type { Did } from '@parley/protocol'

/** The payload of a token whose time and issuer claims have their right types; the other claims are still unknown. */
export interface JwtClaims {
  /** Who signed: a did:key, or where owners may sign also a did:web. */
  readonly iss: Did
  /** Issued-at, not-before and expiry in whole seconds since the Unix epoch (RFC 7519 §4.1). */
  readonly iat: number
  readonly nbf?: number
  readonly exp: number
  readonly [claim: string]: unknown
}

/** Tells whether a claim is a JSON object. */
export function isObjectClaim(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Tells whether a claim is a time in whole seconds since the Unix epoch, so far that it is exact in milliseconds too. */
export function isSecondsClaim(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 1e11
}

/** Tells whether a claim is an identifier: 1 to 128 printable ASCII characters without spaces. */
export function isIdClaim(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,128}$/.test(value)
}

/** Tells whether a claim is a trust ceiling: a whole number from 0 to 1000. */
export function isCeilingClaim(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 1000
}

/** Tells whether a claim is a ring: 0 (most privileged) to 3. */
export function isRingClaim(value: unknown): value is number {
  return value === 0 || value === 1 || value === 2 || value === 3
}

/** Tells whether a claim is a list of at most 256 texts that all pass `isItem`. */
export function isListClaim<T extends string>(
  value: unknown,
  isItem: (text: string) => text is T,
): value is readonly T[]
export function isListClaim(value: unknown, isItem: (text: string) => boolean): value is readonly string[]
export function isListClaim(value: unknown, isItem: (text: string) => boolean): value is readonly string[] {
  return Array.isArray(value) && value.length <= 256 && value.every((item) => typeof item === 'string' && isItem(item))
}

/** Tells whether an optional claim is absent or passes `isClaim`. */
export function isOptionalClaim<T>(value: unknown, isClaim: (value: unknown) => value is T): value is T | undefined {
  return value === undefined || isClaim(value)
}

/** Turns milliseconds into the whole seconds of a claim, rounding down. */
export function toClaimSeconds(timeMs: number): number {
  return Math.floor(timeMs / 1000)
}
