import type { IssuedCredential } from '@parley/ports'
import { allowed, type Did, refuse, type Refusal, type Verdict } from '@parley/protocol'
import { isJwtSigned, refuseUnsigned } from '../jwt/verify-jwt.ts'
import { quote } from '../key/quote.ts'
import type { Anchor, Anchors } from './anchor.ts'
import { findBeyondScope } from './capability-scope.ts'
import { type Credential, decodeCredential } from './credential.ts'
import { decodeIssuerStatement, type IssuerStatement } from './issuer-statement.ts'
import { aliasOf, namePatternsCover } from './name-pattern.ts'

/** A credential that was proven, with everything narrowed by its statement and its owner's anchor. */
export interface VerifiedCredential extends Credential {
  readonly owner: Did
  readonly issuer: Did
  /** The lowest of anchor, statement and credential. */
  readonly ceiling: number
  /** The earlier end of credential and statement. */
  readonly expiresAtMs: number
}

/** What a credential travels as. */
export type PresentedCredential = Pick<IssuedCredential, 'credential' | 'statement'>

/** Against what a credential is verified. */
export interface CredentialExpectation {
  readonly anchors: Anchors
  /** The did:key that proved itself and presents the credential. */
  readonly instance: string
  readonly nowMs: number
}

/**
 * Verifies that an anchored owner lets an issuer say that this instance is an agent of this name. Everything that is cheap
 * is decided before the two signatures. Codes: `identity.owner-unknown`, `identity.name-not-owned` (by the anchor of this
 * node or by the statement), `identity.credential-mismatch` (another instance or issuer), `identity.credential-expired`,
 * `identity.issuer-refused` (more than the statement lets the issuer give), and those of `verifyJwt`.
 */
export function verifyCredential(
  presented: PresentedCredential,
  expected: CredentialExpectation,
): { readonly kind: 'allow'; readonly credential: VerifiedCredential } | Refusal {
  const { anchors, instance, nowMs } = expected
  const statementVerdict = decodeIssuerStatement(presented.statement, nowMs, anchors.keysOf)
  if (statementVerdict.kind === 'deny') return renameExpiry(statementVerdict, 'issuer statement')
  const { owner, statement, jwt: statementJwt } = statementVerdict.decoded
  const anchor = anchors.ofOwner(owner)
  if (!anchor) return refuse('identity.owner-unknown', `no anchor accepts the owner ${owner}; add one if it shall be`)
  const credentialVerdict = decodeCredential(presented.credential, nowMs)
  if (credentialVerdict.kind === 'deny') return renameExpiry(credentialVerdict, 'credential')
  const { issuer, credential, jwt: credentialJwt } = credentialVerdict.decoded
  if (issuer !== statement.issuer) {
    return refuse('identity.credential-mismatch', `the statement lets ${statement.issuer} issue, but ${issuer} signed`)
  }
  if (credential.instance !== instance) {
    return refuse('identity.credential-mismatch', `the credential is of ${credential.instance}, not ${quote(instance)}`)
  }
  const name = decideName(credential, statement, anchor)
  if (name.kind === 'deny') return name
  const terms = decideCredentialTerms(credential, statement)
  if (terms.kind === 'deny') return terms
  if (!isJwtSigned(statementJwt)) return refuseUnsigned(statementJwt)
  if (!isJwtSigned(credentialJwt)) return refuseUnsigned(credentialJwt)
  return {
    kind: 'allow',
    credential: {
      ...credential,
      // The anchor's own text: a node keeps one copy of an owner, not one for each of its agents.
      owner: anchor.owner,
      issuer,
      ceiling: Math.min(anchor.ceiling ?? 1000, statement.ceiling, credential.ceiling ?? 1000),
      expiresAtMs: Math.min(credential.expiresAtMs, statement.expiresAtMs),
    },
  }
}

/** Decides whether an issuer may give such a credential under its statement; the code of a no is `identity.issuer-refused`. */
export function decideCredentialTerms(credential: Credential, statement: IssuerStatement): Verdict {
  const serves = findBeyondScope(statement.serves, credential.serves)
  if (serves !== undefined) return beyond(`serving ${serves}`)
  const calls = findBeyondScope(statement.calls, credential.calls)
  if (calls !== undefined) return beyond(`calling ${calls}`)
  if (credential.ring !== undefined && (statement.ring === undefined || credential.ring < statement.ring)) {
    return beyond(`ring ${credential.ring}`)
  }
  const lifeMs = credential.expiresAtMs - credential.notBeforeMs
  if (lifeMs <= 0 || lifeMs > statement.maxCredentialMs) return beyond(`a life of ${lifeMs} ms`)
  return allowed
}

function decideName(credential: Credential, statement: IssuerStatement, anchor: Anchor): Verdict {
  const { name } = credential
  if (aliasOf(name) !== anchor.alias || !namePatternsCover(anchor.issues, name)) {
    return refuse('identity.name-not-owned', `${name} is not a name that the anchor ${anchor.alias} may vouch for`)
  }
  if (!namePatternsCover(statement.names, name)) {
    return refuse('identity.name-not-owned', `${name} is not a name that the statement lets the issuer give`)
  }
  return allowed
}

function beyond(what: string): Refusal {
  return refuse('identity.issuer-refused', `the statement does not let the issuer give ${what}`)
}

function renameExpiry(refusal: Refusal, what: string): Refusal {
  if (refusal.code !== 'identity.jwt-expired') return refusal
  return refuse('identity.credential-expired', `${what}: ${refusal.reason}`)
}
