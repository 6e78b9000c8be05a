import type { Signer } from '@parley/ports'
import {
  type AgentName,
  type InstanceDid,
  isAgentName,
  isCapabilityPattern,
  MeshError,
  refuse,
  type Refusal,
} from '@parley/protocol'
import { isIdClaim, isListClaim, isOptionalClaim, toClaimSeconds } from '../jwt/claim.ts'
import { jwtTypes } from '../jwt/jwt-type.ts'
import { signJwt } from '../jwt/sign-jwt.ts'
import { verifyJwt } from '../jwt/verify-jwt.ts'
import { isInstanceDid } from '../key/did-key.ts'
import { quote } from '../key/quote.ts'

/** What an issuer promises to whoever holds the private key of `key`: one instance may join as this name. */
export interface JoinGrant {
  /** Names the grant in the issuer's memory. */
  readonly id: string
  /** The id of the first grant of the seat that this one leads back to; absent of that first one itself. */
  readonly seat?: string
  /** The did:key whose holder may name the instance. */
  readonly key: InstanceDid
  readonly name: AgentName
  /** The most that the instance may serve and call; without them the issuer alone decides. */
  readonly serves?: readonly string[]
  readonly calls?: readonly string[]
  readonly issuedAtMs: number
  readonly expiresAtMs: number
}

/** Signs a grant with the issuer's key. Throws `identity.join-token-invalid` for a name or pattern that is none. */
export async function signJoinGrant(issuer: Signer, grant: JoinGrant): Promise<string> {
  const { id, seat, key, name, serves, calls, issuedAtMs, expiresAtMs } = grant
  if (!isAgentName(name)) throw new MeshError('identity.join-token-invalid', `${quote(name)} is not an agent's name`)
  const wrong = [...(serves ?? []), ...(calls ?? [])].find((pattern) => !isCapabilityPattern(pattern))
  if (wrong !== undefined)
    throw new MeshError('identity.join-token-invalid', `${quote(wrong)} is not a capability pattern`)
  return signJwt(issuer, jwtTypes.joinGrant, {
    iat: toClaimSeconds(issuedAtMs),
    exp: toClaimSeconds(expiresAtMs),
    jti: id,
    seat,
    key,
    name,
    serves,
    calls,
  })
}

/** Verifies that a grant is one of this issuer's and holds now. Codes: those of `verifyJwt`. */
export function verifyJoinGrant(
  token: string,
  expected: { readonly issuer: string; readonly nowMs: number },
): { readonly kind: 'allow'; readonly grant: JoinGrant } | Refusal {
  const verdict = verifyJwt(token, { typ: jwtTypes.joinGrant, ...expected })
  if (verdict.kind === 'deny') return verdict
  const { jti, seat, key, name, serves, calls, iat, exp } = verdict.claims
  if (
    !isIdClaim(jti) ||
    !isOptionalClaim(seat, isIdClaim) ||
    typeof key !== 'string' ||
    !isInstanceDid(key) ||
    typeof name !== 'string' ||
    !isAgentName(name) ||
    !(serves === undefined || isListClaim(serves, isCapabilityPattern)) ||
    !(calls === undefined || isListClaim(calls, isCapabilityPattern))
  ) {
    return refuse('identity.jwt-invalid', 'the claims of the join grant are malformed')
  }
  return {
    kind: 'allow',
    grant: {
      id: jti,
      ...(seat === undefined ? {} : { seat }),
      key,
      name,
      ...(serves === undefined ? {} : { serves }),
      ...(calls === undefined ? {} : { calls }),
      issuedAtMs: iat * 1000,
      expiresAtMs: exp * 1000,
    },
  }
}
