/**
 * The closed list of what is ever signed. None is a prefix of another, none of `eyJ`, so that a signature for one purpose
 * never fits another. `jwt` marks tokens, whose signing input starts with `eyJ` by itself (RFC 7515 §5.1).
 */
export const signingDomains = {
  frame: 'iatp/1/frame',
  checkpoint: 'parley/1/checkpoint',
  evidence: 'parley/1/evidence',
  jwt: 'jwt',
} as const

/** A domain that a `Signer` accepts. */
export type SigningDomain = (typeof signingDomains)[keyof typeof signingDomains]
