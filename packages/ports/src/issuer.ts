/** What an instance asks its issuer for. */
export interface CredentialRequest {
  /** The agent name, for instance `acme/flights`. */
  readonly name: string
  /** The did:key that the instance made itself. */
  readonly instance: string
  /** Capability patterns that it serves and calls, for instance `flights:reserve` or `flights:*`. */
  readonly serves: readonly string[]
  readonly calls: readonly string[]
  /** The public user key that the instance made itself to log in to a NATS broker with. The credential binds it. */
  readonly nkey?: string
}

/** What an issuer hands back. Both are compact JWTs. */
export interface IssuedCredential {
  /** Says that the instance key acts for the name, until it expires. */
  readonly credential: string
  /** The owner's statement that this issuer may issue such names; travels with every credential. */
  readonly statement: string
  /** Expiry in milliseconds since the Unix epoch: renew well before. */
  readonly expiresAtMs: number
  /** The NATS user token of the same life for `nkey`, where the issuer has an account of the broker. */
  readonly natsUser?: string
}

/**
 * Gives credentials to instances. Implementations decide who may ask for which name. Rejects with
 * `identity.issuer-refused` (a decided no) or `identity.issuer-unavailable` (try again).
 */
export interface Issuer {
  issue(request: CredentialRequest): Promise<IssuedCredential>
}
