/**
 * The closed list of tokens, as their header's `typ` (RFC 8725 §3.11). It is compared exactly and before the signature, so
 * that a token of one kind is never taken for another.
 */
export const jwtTypes = {
  statement: 'parley-issuer+jwt',
  credential: 'parley-credential+jwt',
  delegation: 'parley-delegation+jwt',
  order: 'parley-order+jwt',
  joinGrant: 'parley-join+jwt',
  admission: 'parley-admission+jwt',
  orderHead: 'parley-order-head+jwt',
  attestation: 'parley-attestation+jwt',
  declaration: 'parley-declaration+jwt',
  policyRelease: 'parley-policy+jwt',
} as const

/** The `typ` of a token. */
export type JwtType = (typeof jwtTypes)[keyof typeof jwtTypes]
