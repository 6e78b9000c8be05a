import { refuse, type Refusal } from './refusal.ts'

/** What one side of a handshake speaks. */
export interface Offer {
  /** Versions of IATP. */
  readonly versions: readonly number[]
  /** Signature suites. */
  readonly suites: readonly number[]
}

/** What both sides speak after a handshake. */
export interface Choice {
  readonly version: number
  readonly suite: number
}

/**
 * Finds the best that both sides offer: the highest version and the highest suite that are in both lists. Each side
 * computes it from lists that both have signed, so neither can be talked into less. Refuses with
 * `iatp.version-unsupported` or `iatp.suite-unsupported` when there is none.
 */
export function negotiate(
  own: Offer,
  theirs: Partial<Offer>,
): { readonly kind: 'allow'; readonly choice: Choice } | Refusal {
  const version = highestOf(own.versions, theirs.versions ?? [])
  if (version === undefined) return refuse('iatp.version-unsupported', 'the peer speaks no version of IATP that we do')
  const suite = highestOf(own.suites, theirs.suites ?? [])
  if (suite === undefined) return refuse('iatp.suite-unsupported', 'the peer knows no suite that we do')
  return { kind: 'allow', choice: { version, suite } }
}

/** Tells whether a peer chose what the lists say: less is a downgrade, more is nothing that both offered. */
export function isSameChoice(choice: Choice, theirs: Partial<Choice>): boolean {
  return choice.version === theirs.version && choice.suite === theirs.suite
}

function highestOf(own: readonly number[], theirs: readonly number[]): number | undefined {
  const common = own.filter((number) => theirs.includes(number))
  return common.length === 0 ? undefined : Math.max(...common)
}
