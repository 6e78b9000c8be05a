/**
 * Signs bytes with one key, which may live in an HSM. The caller names the domain of what it signs; an implementation
 * signs `domain ‖ 0x00 ‖ bytes` (for the domain `jwt` the bytes alone, RFC 7515 has its own prefix `eyJ`), so that a
 * signature made for one purpose is never valid for another.
 */
export interface Signer {
  /** The did:key of the public key. */
  readonly did: string
  /** Returns a 64-byte Ed25519 signature (RFC 8032). Rejects with `identity.signer-unavailable`. */
  sign(domain: string, bytes: Uint8Array): Promise<Uint8Array>
}
