/**
 * How strongly a person signed in: the authenticator assurance levels of NIST SP 800-63B. 1 is one factor, 2 is two, 3 is
 * two of which one is hardware that resists phishing.
 */
export type Assurance = 1 | 2 | 3

/** The sign-in behind the credential of a person. */
export interface SignIn {
  readonly assurance: Assurance
  /** When, in milliseconds since the Unix epoch. */
  readonly atMs: number
}

/** Tells whether a value is an assurance level. */
export function isAssuranceClaim(value: unknown): value is Assurance {
  return value === 1 || value === 2 || value === 3
}
