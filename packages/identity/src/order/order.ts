import type { Signer } from '@parley/ports'
import { type Did, isAgentName, MeshError, refuse, type Refusal } from '@parley/protocol'
import { isIdClaim, isSecondsClaim, toClaimSeconds } from '../jwt/claim.ts'
import { jwtTypes } from '../jwt/jwt-type.ts'
import { signJwt } from '../jwt/sign-jwt.ts'
import { type OwnerKeys, verifyJwt } from '../jwt/verify-jwt.ts'
import { hashChain } from '../delegation/chain-hash.ts'
import { isInstanceDid } from '../key/did-key.ts'
import { quote } from '../key/quote.ts'

/** What an owner commands: `revoke` a credential, an instance, an issuer, a link or a name; `kill` a name or an instance for good, with what it has under way. */
export type OrderKind = 'revoke' | 'kill'

/** What an order is made of. */
export interface OrderDraft {
  /** 1, 2, 3, ... per owner, without gaps. */
  readonly sequence: number
  /** The owner's order before this one, as it was signed; absent at 1. */
  readonly previous?: string
  readonly kind: OrderKind
  /** A credential id, a link id, the DID of an instance or issuer, or an agent name; a name or an instance if the kind is `kill`. */
  readonly subject: string
  readonly issuedAtMs: number
  /** Until when a node may take this for the owner's latest word; one minute later by default. */
  readonly nextUpdateMs?: number
}

/** An order that was proven to be its owner's. */
export interface VerifiedOrder {
  readonly owner: Did
  readonly sequence: number
  /** Hash of the order before; absent at 1. */
  readonly previous?: string
  /** Hash of this order, which the next one names. */
  readonly hash: string
  readonly kind: OrderKind
  readonly subject: string
  readonly issuedAtMs: number
  readonly nextUpdateMs: number
}

/** An order is no lease: it must reach a node that first starts years later. */
const orderLifeMs = 10 * 365 * 86_400_000
const defaultUpdateMs = 60_000

/** Signs an order with the owner's key. Rejects with `identity.jwt-invalid` for a malformed draft. */
export async function signOrder(owner: Signer, draft: OrderDraft): Promise<string> {
  const { sequence, previous, kind, subject, issuedAtMs } = draft
  if (!isPlaced(sequence, previous) || !isSubject(kind, subject)) {
    throw new MeshError(
      'identity.jwt-invalid',
      `the order ${String(sequence)} to ${kind} ${quote(subject)} is malformed`,
    )
  }
  return signJwt(owner, jwtTypes.order, {
    iat: toClaimSeconds(issuedAtMs),
    exp: toClaimSeconds(issuedAtMs + orderLifeMs),
    sequence,
    previous: previous === undefined ? undefined : hashChain([previous]),
    kind,
    subject,
    nextUpdate: toClaimSeconds(draft.nextUpdateMs ?? issuedAtMs + defaultUpdateMs),
  })
}

/**
 * Verifies that an order is what its issuer signed; whether that issuer may command here is for the order book. The token
 * outlives `nextUpdateMs`, which only says how fresh it is. Codes as `verifyJwt`.
 */
export function verifyOrder(
  token: string,
  expected: { readonly nowMs: number; readonly ownerKeys?: OwnerKeys },
): { readonly kind: 'allow'; readonly order: VerifiedOrder } | Refusal {
  const verdict = verifyJwt(token, { typ: jwtTypes.order, ...expected })
  if (verdict.kind === 'deny') return verdict
  const { iss, iat, sequence, previous, kind, subject, nextUpdate } = verdict.claims
  if (
    typeof sequence !== 'number' ||
    !(previous === undefined || isIdClaim(previous)) ||
    !isPlaced(sequence, previous) ||
    (kind !== 'revoke' && kind !== 'kill') ||
    !isIdClaim(subject) ||
    !isSubject(kind, subject) ||
    !isSecondsClaim(nextUpdate)
  ) {
    return refuse('identity.jwt-invalid', 'the claims of the order are malformed')
  }
  return {
    kind: 'allow',
    order: {
      owner: iss,
      sequence,
      ...(previous === undefined ? {} : { previous }),
      hash: hashChain([token]),
      kind,
      subject,
      issuedAtMs: iat * 1000,
      nextUpdateMs: nextUpdate * 1000,
    },
  }
}

/** The first order follows nothing, every other one follows one. */
function isPlaced(sequence: number, previous: string | undefined): boolean {
  return Number.isSafeInteger(sequence) && sequence >= 1 && (sequence === 1) === (previous === undefined)
}

function isSubject(kind: OrderKind, subject: string): boolean {
  return (
    isAgentName(subject) ||
    (kind === 'kill' && isInstanceDid(subject)) ||
    (kind === 'revoke' && isIdClaim(subject) && !subject.includes('/'))
  )
}
