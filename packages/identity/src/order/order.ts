import type { Signer } from '@parley/ports'
import { type Did, isAgentName, MeshError, refuse, type Refusal } from '@parley/protocol'
import { isCeilingClaim, isIdClaim, isSecondsClaim, toClaimSeconds } from '../jwt/claim.ts'
import { jwtTypes } from '../jwt/jwt-type.ts'
import { signJwt } from '../jwt/sign-jwt.ts'
import { type DecodedJwt, decodeJwt, isJwtSigned, type OwnerKeys, refuseUnsigned } from '../jwt/verify-jwt.ts'
import { hashChain } from '../delegation/chain-hash.ts'
import { isInstanceDid } from '../key/did-key.ts'
import { quote } from '../key/quote.ts'

/** The closed list of what an owner commands. */
export const orderKinds = ['revoke', 'kill', 'quarantine', 'pin'] as const

/**
 * What an owner commands: `revoke` a credential, an instance, an issuer, a link or a name; `kill` a name or an instance for
 * good, with what it has under way; `quarantine` a name or an instance, and `pin` the score of a name, until a time.
 */
export type OrderKind = (typeof orderKinds)[number]

/** What an order says besides its kind and subject. `revoke` and `kill` have none of it. */
export interface OrderTerms {
  /**
   * Of `quarantine` and `pin`: when it ends, in milliseconds since the Unix epoch, cut to whole seconds. One that ends when it
   * was issued ends the one before.
   */
  readonly untilMs?: number
  /** Of `pin`: the score, 0 to 1000. */
  readonly score?: number
  /** Why, in 1 to 256 characters: of `pin`, and of `quarantine` if it says so. */
  readonly reason?: string
}

/** What an order is made of. */
export interface OrderDraft extends OrderTerms {
  /** 1, 2, 3, ... per owner, without gaps. */
  readonly sequence: number
  /** The owner's order before this one, as it was signed; absent at 1. */
  readonly previous?: string
  readonly kind: OrderKind
  /**
   * A credential id, a link id, the DID of an instance or issuer, or an agent name; a name or an instance if the kind is `kill`
   * or `quarantine`, a name if it is `pin`.
   */
  readonly subject: string
  readonly issuedAtMs: number
  /** Until when a node may take this for the owner's latest word; one minute later by default. */
  readonly nextUpdateMs?: number
}

/** An order that was proven to be its owner's. */
export interface VerifiedOrder extends OrderTerms {
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
  const { sequence, previous, kind, subject, issuedAtMs, untilMs, score, reason } = draft
  const iat = toClaimSeconds(issuedAtMs)
  const until = untilMs === undefined ? undefined : toClaimSeconds(untilMs)
  if (!isPlaced(sequence, previous) || !isSubject(kind, subject) || !hasTerms(kind, iat, { until, score, reason })) {
    throw new MeshError(
      'identity.jwt-invalid',
      `the order ${String(sequence)} to ${kind} ${quote(subject)} is malformed`,
    )
  }
  return signJwt(owner, jwtTypes.order, {
    iat,
    exp: toClaimSeconds(issuedAtMs + orderLifeMs),
    sequence,
    previous: previous === undefined ? undefined : hashChain([previous]),
    kind,
    subject,
    until,
    score,
    reason,
    nextUpdate: toClaimSeconds(draft.nextUpdateMs ?? issuedAtMs + defaultUpdateMs),
  })
}

/** Signs the order that follows all those that an owner gave. Rejects as `signOrder`. */
export function signNextOrder(
  owner: Signer,
  given: readonly string[],
  draft: Omit<OrderDraft, 'sequence' | 'previous'>,
): Promise<string> {
  const previous = given.at(-1)
  return signOrder(owner, { ...draft, sequence: given.length + 1, ...(previous === undefined ? {} : { previous }) })
}

/**
 * Verifies that an order is what its issuer signed; whether that issuer may command here is for the order book. The token
 * outlives `nextUpdateMs`, which only says how fresh it is. Codes as `verifyJwt`.
 */
export function verifyOrder(
  token: string,
  expected: { readonly nowMs: number; readonly ownerKeys?: OwnerKeys },
): { readonly kind: 'allow'; readonly order: VerifiedOrder } | Refusal {
  const decoded = decodeOrder(token, expected)
  if (decoded.kind === 'deny') return decoded
  return isJwtSigned(decoded.jwt) ? { kind: 'allow', order: decoded.order } : refuseUnsigned(decoded.jwt)
}

/** Reads an order without checking its signature: `isJwtSigned(jwt)` must hold before it is believed. */
export function decodeOrder(
  token: string,
  expected: { readonly nowMs: number; readonly ownerKeys?: OwnerKeys },
): { readonly kind: 'allow'; readonly order: VerifiedOrder; readonly jwt: DecodedJwt } | Refusal {
  const verdict = decodeJwt(token, { typ: jwtTypes.order, ...expected })
  if (verdict.kind === 'deny') return verdict
  const { iss, iat, sequence, previous, kind, subject, until, score, reason, nextUpdate } = verdict.jwt.claims
  if (
    typeof sequence !== 'number' ||
    !(previous === undefined || isIdClaim(previous)) ||
    !isPlaced(sequence, previous) ||
    !isOrderKind(kind) ||
    !isIdClaim(subject) ||
    !isSubject(kind, subject) ||
    !hasTerms(kind, iat, { until, score, reason }) ||
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
      ...(until === undefined ? {} : { untilMs: (until as number) * 1000 }),
      ...(score === undefined ? {} : { score: score as number }),
      ...(reason === undefined ? {} : { reason: reason as string }),
      issuedAtMs: iat * 1000,
      nextUpdateMs: nextUpdate * 1000,
    },
    jwt: verdict.jwt,
  }
}

/** The first order follows nothing, every other one follows one. */
function isPlaced(sequence: number, previous: string | undefined): boolean {
  return Number.isSafeInteger(sequence) && sequence >= 1 && (sequence === 1) === (previous === undefined)
}

function isSubject(kind: OrderKind, subject: string): boolean {
  if (isAgentName(subject)) return true
  if (kind === 'revoke') return isIdClaim(subject) && !subject.includes('/')
  return kind !== 'pin' && isInstanceDid(subject)
}

/** Each kind has its own terms and none of another: a receiver that overlooked one would do something else. */
function hasTerms(
  kind: OrderKind,
  iat: number,
  { until, score, reason }: Readonly<Record<'until' | 'score' | 'reason', unknown>>,
): boolean {
  if (kind === 'revoke' || kind === 'kill') return until === undefined && score === undefined && reason === undefined
  if (!isSecondsClaim(until) || until < iat) return false
  return kind === 'pin'
    ? isCeilingClaim(score) && isReason(reason)
    : score === undefined && (reason === undefined || isReason(reason))
}

function isReason(value: unknown): boolean {
  return typeof value === 'string' && /^[^\p{Cc}]{1,256}$/u.test(value)
}

function isOrderKind(value: unknown): value is OrderKind {
  return orderKinds.some((kind) => kind === value)
}
