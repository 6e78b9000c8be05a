import { signingDomains, type SigningDomain } from './domain.ts'
import type { EnvelopeHeader } from './envelope.ts'
import { decodeEvidence, hasBody, type Evidence } from './evidence.ts'
import { encodeSignedRoot } from './frame.ts'
import { commitBody, hashLeaf } from './leaf.ts'
import { computeInclusionRoot } from './merkle/merkle-proof.ts'
import { parseHeader } from './parse-header.ts'
import { refuse, type Refusal } from './refusal.ts'
import type { Sha256 } from './sha256.ts'

/**
 * Tells whether `signature` is the DID's over the bytes in the domain, as a `Signer` makes it; `verifySignature` of
 * `@parley/identity` is one. Answers false, and does not throw, for a DID that is none.
 */
export type SignatureCheck = (did: string, domain: SigningDomain, bytes: Uint8Array, signature: Uint8Array) => boolean

/** What evidence proves: that the instance `header.from` signed this header and the commitment to this body. */
export interface VerifiedEvidence {
  readonly header: EnvelopeHeader
  /** The leaf hash in bytes: what answers and records call the envelope. */
  readonly leaf: Uint8Array
  readonly commitment: Uint8Array
  /** The body as it was sent; absent where the evidence was made without it. */
  readonly body?: Uint8Array
  readonly evidence: Evidence
}

/**
 * Verifies evidence by its bytes alone. The leaf is computed from the header and never taken from outside, and the number
 * of leaves is signed, so no node of the tree passes for a leaf. It says who signed what, when (by the sender's clock) and
 * for whom; not whether the sender's credential was valid, nor whether the envelope arrived. Refuses as `decodeEvidence`
 * and `parseHeader` do, and with `identity.signature-invalid`.
 */
export function verifyEvidence(
  hash: Sha256,
  bytes: Uint8Array,
  isSigned: SignatureCheck,
): { readonly kind: 'allow'; readonly verified: VerifiedEvidence } | Refusal {
  const decoded = decodeEvidence(bytes)
  if (decoded.kind === 'deny') return decoded
  const { evidence } = decoded
  const { suite, leafCount, leafIndex, signature, path, content } = evidence
  // The key is in the header, so it is read first. Nothing of it is believed before the signature held.
  const parsed = parseHeader(evidence.header)
  if (parsed.kind === 'deny') return parsed
  const { header } = parsed
  const commitment = hasBody(content) ? commitBody(hash, content.salt, content.body) : content.commitment
  const leaf = hashLeaf(hash, evidence.header, commitment)
  const root = computeInclusionRoot(hash, { leaf, index: leafIndex, size: leafCount }, path)
  const signed = root && encodeSignedRoot(suite, leafCount, root)
  if (!signed || !isSigned(header.from, signingDomains.frame, signed, signature))
    return refuse('identity.signature-invalid', `the signature is not of ${header.from} over this envelope`)
  const body = hasBody(content) ? { body: content.body } : {}
  return { kind: 'allow', verified: { header, leaf, commitment, ...body, evidence } }
}
