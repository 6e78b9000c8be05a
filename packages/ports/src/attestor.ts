/** What a newcomer shows of itself before it has a credential. Everything here was proven to come from `voucher`. */
export interface AttestationRequest {
  /** The agent name that it asks for. */
  readonly name: string
  /** The did:key that the newcomer made itself and has proven to hold. */
  readonly instance: string
  /** The did:key that vouches for the two: the instance itself, or a key that the evidence names. */
  readonly voucher: string
  /** What the method goes by, for instance a join token. Opaque to everybody else; it may be a secret. */
  readonly evidence: string
}

/** What an attestor decided. */
export type Attestation =
  | {
      readonly kind: 'allow'
      /** Names the evidence, so that an owner's order can take it back. Never a secret. */
      readonly id: string
      /** The most that may be served and called; without them the issuer alone decides. */
      readonly serves?: readonly string[]
      readonly calls?: readonly string[]
    }
  | { readonly kind: 'deny'; readonly code: string; readonly reason: string }

/**
 * Decides who may ask an issuer for a name, by one method. Refuses everything that it does not understand, and decides the
 * same again for the same instance: a newcomer whose answer was lost asks twice. What may be used once is bound to the first
 * instance durably before it is allowed. Rejects only when it cannot decide; nobody is let in then.
 */
export interface Attestor {
  /** Names the method in an admission, for instance `join-token`. */
  readonly method: string
  attest(request: AttestationRequest): Promise<Attestation>
}
