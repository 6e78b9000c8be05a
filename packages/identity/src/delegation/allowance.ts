import { type AgentId, isAgentName, isMoney, parseAmount, refuse, type Refusal } from '@parley/protocol'
import { isOwnerDid } from '../did-web/did-web-url.ts'
import { isObjectClaim } from '../jwt/claim.ts'
import { quote } from '../key/quote.ts'

/** What may be spent under a link, in all, for as long as the link lives. What is absent is not bounded by this link. */
export interface Allowance {
  readonly calls?: number
  readonly tokens?: number
  /** Decimal text with at most 6 digits after the point. */
  readonly money?: { readonly amount: string; readonly currency: string }
  /** The only agent that may be paid with it, and that counts what was spent. */
  readonly at?: AgentId
}

const parts: ReadonlySet<string> = new Set(['calls', 'tokens', 'money', 'at'])

/** Reads the allowance of a link; a part that is not known here refuses, since it bounds something. */
export function readAllowance(value: unknown): { readonly kind: 'allow'; readonly allowance?: Allowance } | Refusal {
  if (value === undefined) return { kind: 'allow' }
  if (!isObjectClaim(value)) return refuse('delegation.invalid', 'the allowance is not an object')
  const unknown = Object.keys(value).find((part) => !parts.has(part))
  if (unknown !== undefined)
    return refuse('delegation.constraint-unknown', `the allowance has the unknown part ${quote(unknown)}`)
  const { calls, tokens, money, at } = value
  if (
    ![calls, tokens].every((count) => count === undefined || isCount(count)) ||
    !(money === undefined || isMoney(money)) ||
    !(at === undefined || isAgentId(at)) ||
    (calls === undefined && tokens === undefined && money === undefined)
  )
    return refuse('delegation.invalid', 'the allowance is malformed')
  return { kind: 'allow', allowance: value }
}

/** Tells whether what a link bounds stays bounded below it: each part there and no larger, the same currency and payee. */
export function allowanceNarrows(parent: Allowance | undefined, child: Allowance | undefined): boolean {
  if (!parent) return true
  if (!child) return false
  return (
    (parent.calls === undefined || (child.calls !== undefined && child.calls <= parent.calls)) &&
    (parent.tokens === undefined || (child.tokens !== undefined && child.tokens <= parent.tokens)) &&
    (!parent.money ||
      (child.money?.currency === parent.money.currency &&
        amountOf(child.money.amount) <= amountOf(parent.money.amount))) &&
    (!parent.at || (child.at?.owner === parent.at.owner && child.at.name === parent.at.name))
  )
}

/** Tells whether a claim names an agent: the DID of an owner and a name. */
export function isAgentId(value: unknown): value is AgentId {
  if (!isObjectClaim(value)) return false
  const { owner, name } = value
  return typeof owner === 'string' && isOwnerDid(owner) && typeof name === 'string' && isAgentName(name)
}

function amountOf(amount: string): bigint {
  const micros = parseAmount(amount)
  if (micros === undefined) throw new TypeError('an allowance was compared before it was read')
  return micros
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
