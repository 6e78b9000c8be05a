import type { Signer } from '@parley/ports'
import {
  type AgentName,
  type InstanceDid,
  isAgentName,
  isCapabilityPattern,
  refuse,
  type Refusal,
} from '@parley/protocol'
import {
  isCeilingClaim,
  isIdClaim,
  isListClaim,
  isOptionalClaim,
  isRingClaim,
  isSecondsClaim,
  toClaimSeconds,
} from '../jwt/claim.ts'
import { jwtTypes } from '../jwt/jwt-type.ts'
import { signJwt } from '../jwt/sign-jwt.ts'
import { type DecodedJwt, decodeJwt } from '../jwt/verify-jwt.ts'
import { isInstanceDid } from '../key/did-key.ts'
import { isUserNkey } from '../nats/nkey.ts'

/** Whether an agent is a program or a person. */
export type AgentKind = 'agent' | 'human'

/** What an issuer says of an instance key. */
export interface Credential {
  /** Names this credential in orders. */
  readonly id: string
  readonly instance: InstanceDid
  readonly name: AgentName
  /** Capability patterns that it may serve and call. */
  readonly serves: readonly string[]
  readonly calls: readonly string[]
  /** A trust ceiling of its own, 0 to 1000. */
  readonly ceiling?: number
  /** 0 (most privileged) to 3; a fact for policy. */
  readonly ring?: number
  readonly agentKind: AgentKind
  /** The participant database, where instances of a name share one. */
  readonly ledger?: string
  /** The user key that the instance logs in to a NATS broker with. */
  readonly nkey?: string
  readonly notBeforeMs: number
  readonly expiresAtMs: number
}

/** Signs a credential with the issuer's key. Times are cut to whole seconds. */
export function signCredential(issuer: Signer, credential: Credential): Promise<string> {
  const { id, instance, name, serves, calls, ceiling, ring, agentKind, ledger, nkey, notBeforeMs, expiresAtMs } =
    credential
  return signJwt(issuer, jwtTypes.credential, {
    iat: toClaimSeconds(notBeforeMs),
    nbf: toClaimSeconds(notBeforeMs),
    exp: toClaimSeconds(expiresAtMs),
    jti: id,
    instance,
    name,
    serves,
    calls,
    ceiling,
    ring,
    kind: agentKind,
    ledger,
    nkey,
  })
}

/** A credential of the right form whose signature is not yet checked. */
export interface DecodedCredential {
  readonly jwt: DecodedJwt
  readonly issuer: InstanceDid
  readonly credential: Credential
}

/** Reads a credential without checking its signature: `isJwtSigned(decoded.jwt)` must hold before it is believed. */
export function decodeCredential(
  token: string,
  nowMs: number,
): { readonly kind: 'allow'; readonly decoded: DecodedCredential } | Refusal {
  const verdict = decodeJwt(token, { typ: jwtTypes.credential, nowMs })
  if (verdict.kind === 'deny') return verdict
  const { jti, instance, name, serves, calls, ceiling, ring, kind, ledger, nkey, nbf, exp, iss } = verdict.jwt.claims
  if (
    !isIdClaim(jti) ||
    typeof instance !== 'string' ||
    !isInstanceDid(instance) ||
    typeof name !== 'string' ||
    !isAgentName(name) ||
    !isListClaim(serves, isCapabilityPattern) ||
    !isListClaim(calls, isCapabilityPattern) ||
    !isOptionalClaim(ceiling, isCeilingClaim) ||
    !isOptionalClaim(ring, isRingClaim) ||
    (kind !== 'agent' && kind !== 'human') ||
    !isOptionalClaim(ledger, isIdClaim) ||
    !isOptionalClaim(nkey, isUserNkey) ||
    !isSecondsClaim(nbf)
  ) {
    return refuse('identity.jwt-invalid', 'the claims of the credential are malformed')
  }
  const credential: Credential = {
    id: jti,
    instance,
    name,
    serves,
    calls,
    ...(ceiling === undefined ? {} : { ceiling }),
    ...(ring === undefined ? {} : { ring }),
    agentKind: kind,
    ...(ledger === undefined ? {} : { ledger }),
    ...(nkey === undefined ? {} : { nkey }),
    notBeforeMs: nbf * 1000,
    expiresAtMs: exp * 1000,
  }
  return { kind: 'allow', decoded: { jwt: verdict.jwt, issuer: iss, credential } }
}
