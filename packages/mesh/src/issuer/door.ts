import type { PresentedCredential, VerifiedCredential } from '@parley/identity'
import type { InstanceDid, Refusal } from '@parley/protocol'

/**
 * Lets in who has no valid credential. Only an issuer has a door; who comes through it may ask for a credential and nothing
 * else, and not for long.
 */
export interface Door {
  admit(
    presented: PresentedCredential,
    sender: InstanceDid,
  ): Promise<{ readonly kind: 'allow'; readonly credential: VerifiedCredential } | Refusal>
}
