import type { Hash } from '@parley/ports'
import { limits, type Refusal, type Verdict } from '@parley/protocol'
import type { Anchors } from './anchor.ts'
import {
  type CredentialExpectation,
  type PresentedCredential,
  type VerifiedCredential,
  verifyCredential,
} from './verify-credential.ts'

/**
 * Verifies credentials and remembers those that held, so that one which comes again costs a hash instead of two signatures.
 *
 * I1 What is remembered is that the tokens were signed, never that they may be used: time, instance and the owner's keys
 *    are asked each time, and orders are not asked here.
 * I2 A refusal is never remembered.
 * I3 Bounded: the one that was used longest ago makes room. Only what an anchored owner's issuer signed takes a place.
 */
export interface CredentialMemory {
  /** Verifies as `verifyCredential` does, with the same codes. What is not remembered is looked at only if `pay` allows. */
  verify(
    presented: PresentedCredential,
    expected: Omit<CredentialExpectation, 'anchors'>,
    pay?: () => Verdict,
  ): { readonly kind: 'allow'; readonly credential: VerifiedCredential } | Refusal
  /**
   * Gives the tokens of a credential that was verified here, for whoever has to show others who answered. They are kept for as
   * long as somebody holds the verified credential itself, and only where it serves something: nobody else answers, and a silent
   * peer must cost little.
   */
  presentedAs(credential: VerifiedCredential): PresentedCredential | undefined
}

interface Remembered {
  readonly credential: VerifiedCredential
  /** When it was verified: from then on it holds until it expires. */
  readonly sinceMs: number
  /** The keys that spoke for the owner then; others make it worthless. */
  readonly ownerKeys: readonly string[]
}

/** As many as a node has live peers in a busy mesh; about 2 MB. */
const defaultMaxCredentials = 1_024
const maxStatements = 64

/** Creates an empty memory for what the anchors accept. */
export function createCredentialMemory({
  anchors,
  hash,
  maxCredentials = defaultMaxCredentials,
}: {
  readonly anchors: Anchors
  readonly hash: Hash
  readonly maxCredentials?: number
}): CredentialMemory {
  const held = new Map<string, Remembered>()
  const tokens = new WeakMap<VerifiedCredential, PresentedCredential>()
  /** All credentials of one issuer come with the same statement. */
  const statements = new Map<string, string>()
  const share = (statement: string): string => {
    const known = statements.get(statement)
    if (known !== undefined) return known
    if (statements.size >= maxStatements) statements.clear()
    statements.set(statement, statement)
    return statement
  }
  const recall = (
    key: string,
    { instance, nowMs }: Omit<CredentialExpectation, 'anchors'>,
  ): VerifiedCredential | undefined => {
    const found = held.get(key)
    if (!found || found.credential.instance !== instance) return undefined
    const { credential, sinceMs, ownerKeys } = found
    if (nowMs < sinceMs || nowMs >= credential.expiresAtMs + limits.skewMs) return undefined
    if (anchors.keysOf(credential.owner) !== ownerKeys) return undefined
    held.delete(key)
    held.set(key, found)
    return credential
  }
  return {
    verify(presented, expected, pay) {
      // No token holds a space, so no two pairs share a key.
      const bytes = Buffer.from(`${presented.credential} ${presented.statement}`)
      const key = Buffer.from(hash(bytes)).toString('latin1')
      const known = recall(key, expected)
      if (known) return { kind: 'allow', credential: known }
      const paid = pay?.()
      if (paid?.kind === 'deny') return paid
      const verified = verifyCredential(presented, { anchors, ...expected })
      if (verified.kind === 'deny') return verified
      const { credential } = verified
      if (credential.serves.length > 0)
        tokens.set(credential, { credential: presented.credential, statement: share(presented.statement) })
      held.set(key, { credential, sinceMs: expected.nowMs, ownerKeys: anchors.keysOf(credential.owner) })
      const [oldest] = held.keys()
      if (held.size > maxCredentials && oldest !== undefined) held.delete(oldest)
      return verified
    },
    presentedAs: (credential) => tokens.get(credential),
  }
}
