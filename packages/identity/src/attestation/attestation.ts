import type { Signer } from '@parley/ports'
import { type AgentId, isAgentName, MeshError, refuse, type Refusal } from '@parley/protocol'
import type { Anchors } from '../credential/anchor.ts'
import { type PresentedCredential, verifyCredential } from '../credential/verify-credential.ts'
import { isAgentId } from '../delegation/allowance.ts'
import { isSecondsClaim, toClaimSeconds } from '../jwt/claim.ts'
import { jwtTypes } from '../jwt/jwt-type.ts'
import { signJwt } from '../jwt/sign-jwt.ts'
import { verifyJwt } from '../jwt/verify-jwt.ts'

/** What an agent says of another one. */
export interface AttestationDraft {
  readonly about: AgentId
  /** 0 to 1000. */
  readonly score: number
  readonly issuedAtMs: number
  readonly expiresAtMs: number
}

/** An attestation that was proven to be its rater's. */
export interface VerifiedAttestation extends AttestationDraft {
  readonly rater: AgentId
}

/**
 * Signs an attestation with an agent's instance key; its credential is in it, so that anybody under whose anchors it holds
 * can verify it while the credential lives. Rejects with `trust.attestation-refused` for a malformed draft.
 */
export async function signAttestation(
  rater: PresentedCredential & { readonly signer: Signer },
  { about, score, issuedAtMs, expiresAtMs }: AttestationDraft,
): Promise<string> {
  if (!isAgentName(about.name) || !isScore(score) || !(expiresAtMs > issuedAtMs))
    throw new MeshError('trust.attestation-refused', 'an attestation names an agent, a score from 0 to 1000 and an end')
  return signJwt(rater.signer, jwtTypes.attestation, {
    iat: toClaimSeconds(issuedAtMs),
    exp: toClaimSeconds(expiresAtMs),
    about: { owner: about.owner, name: about.name },
    score,
    credential: rater.credential,
    statement: rater.statement,
  })
}

/**
 * Verifies that an attestation is what the agent says whose credential is in it. What it is worth is for the ledger. Codes
 * as `verifyJwt` and `verifyCredential`, and `trust.attestation-refused` for malformed claims.
 */
export function verifyAttestation(
  token: string,
  { anchors, nowMs }: { readonly anchors: Anchors; readonly nowMs: number },
): { readonly kind: 'allow'; readonly attestation: VerifiedAttestation } | Refusal {
  const verdict = verifyJwt(token, { typ: jwtTypes.attestation, nowMs })
  if (verdict.kind === 'deny') return verdict
  const { iss, iat, exp, about, score, credential, statement } = verdict.claims
  if (
    !isAgentId(about) ||
    !isScore(score) ||
    !isSecondsClaim(iat) ||
    typeof credential !== 'string' ||
    typeof statement !== 'string'
  )
    return refuse('trust.attestation-refused', 'the claims of the attestation are malformed')
  const proven = verifyCredential({ credential, statement }, { anchors, instance: iss, nowMs })
  if (proven.kind === 'deny') return proven
  const { owner, name } = proven.credential
  return {
    kind: 'allow',
    attestation: {
      rater: { owner, name },
      about: { owner: about.owner, name: about.name },
      score,
      issuedAtMs: iat * 1000,
      expiresAtMs: exp * 1000,
    },
  }
}

function isScore(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1000
}
