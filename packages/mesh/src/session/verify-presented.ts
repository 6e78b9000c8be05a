import type { VerifiedCredential } from '@parley/identity'
import type { EnvelopeHeader, Refusal } from '@parley/protocol'
import type { NodeParts } from '../node/node-parts.ts'
import { payForTokens } from './pay-for-tokens.ts'

/** Signatures of a credential and its statement. */
const credentialSignatures = 2

/** Verifies the credential that an envelope presents; one that is not remembered costs its sender two signatures. */
export function verifyPresented(
  parts: Pick<NodeParts, 'buckets' | 'clock' | 'credentials'>,
  { from, credential = '', statement = '' }: Pick<EnvelopeHeader, 'from' | 'credential' | 'statement'>,
): { readonly kind: 'allow'; readonly credential: VerifiedCredential } | Refusal {
  const expected = { instance: from, nowMs: parts.clock.now() }
  return parts.credentials.verify({ credential, statement }, expected, () =>
    payForTokens(parts, from, credentialSignatures),
  )
}
