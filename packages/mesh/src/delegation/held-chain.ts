import { decodeDelegation, hashChain, isInstanceDid, type Anchors } from '@parley/identity'
import { limits, refuse, type Refusal } from '@parley/protocol'
import type { AllowanceAccount } from './allowance-ledger.ts'

/** A chain of which this node's name is the delegate, as far as the node itself has to know it. */
export interface HeldChain {
  readonly hash: string
  readonly links: readonly string[]
  /** The account of its last link, where that has an allowance. */
  readonly account?: AllowanceAccount
}

/** Reads a chain that this node is to act under or to hand on from. */
export type ReadHeldChain = (
  links: readonly string[],
  nowMs: number,
) => { readonly kind: 'allow'; readonly chain: HeldChain } | Refusal

/**
 * Creates a reader that remembers what it read for as long as the list of links lives. It verifies nothing: that is the
 * callee's. But what cannot be read refuses, since what may be spent under it is not known.
 */
export function createHeldChainReader(anchors: Anchors): ReadHeldChain {
  const read = new WeakMap<readonly string[], HeldChain>()
  return (links, nowMs) => {
    const known = read.get(links)
    if (known) return { kind: 'allow', chain: known }
    const last = links.at(-1)
    if (last === undefined || links.length > limits.chainLinks)
      return refuse(
        'delegation.too-deep',
        `a chain has 1 to ${String(limits.chainLinks)} links, not ${String(links.length)}`,
      )
    const decoded = decodeDelegation(last, nowMs, (owner) => readableKeysOf(anchors, owner))
    if (decoded.kind === 'deny') return decoded
    const { allowance, expiresAtMs } = decoded.delegation
    const hash = hashChain(links)
    const chain: HeldChain = {
      hash,
      links,
      ...(allowance ? { account: { role: 'own', link: { hash, allowance }, expiresAtMs } } : {}),
    }
    read.set(links, chain)
    return { kind: 'allow', chain }
  }
}

/** Gives the keys to read a chain with, which may be of an owner that only its callee anchors: a did:key is its own key. */
export function readableKeysOf(anchors: Anchors, owner: string): ReturnType<Anchors['keysOf']> {
  const known = anchors.keysOf(owner)
  return known.length === 0 && isInstanceDid(owner) ? [owner] : known
}
