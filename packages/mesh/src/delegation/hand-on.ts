import type { Clock, IssuedCredential, Random, Signer } from '@parley/ports'
import {
  decodeDelegation,
  extendDelegation,
  hashChain,
  type Allowance,
  type Anchors,
  type Constraints,
} from '@parley/identity'
import {
  formatAgentId,
  formatId,
  isMeshError,
  refuse,
  type AgentId,
  type Capability,
  type Refusal,
} from '@parley/protocol'
import { readableKeysOf } from './held-chain.ts'

/** What one call hands on. */
export interface Grant {
  readonly capabilities: readonly Capability[]
  readonly constraints?: Constraints
  readonly allowance?: Allowance
  /** Labels of the call: whoever goes on under the link has to keep them. */
  readonly labels?: readonly string[]
  readonly forMs: number
}

/** A chain that ends in a link of this node. */
export interface SignedChain {
  readonly links: readonly string[]
  readonly hash: string
}

/** Extends a chain of which this node's name is the delegate by a link to another agent. */
export type HandOn = (
  links: readonly string[],
  grant: Grant,
  to: AgentId,
) => Promise<{ readonly kind: 'allow'; readonly chain: SignedChain } | Refusal>

/** Links that are kept for the next call with the same grant. */
const maxKept = 256

/**
 * Creates what signs links with this instance's key, its credential inside. A link never outlives the chain above it. One
 * without an allowance is used again while more than half of its life is left, so that it travels by its hash.
 */
export function createHandOn(node: {
  /** The agent that this node is, once its credential says so. */
  readonly agent: () => AgentId
  readonly anchors: Anchors
  readonly signer: Signer
  readonly clock: Clock
  readonly random: Random
  readonly issued: () => IssuedCredential
}): HandOn {
  const { anchors, signer, clock, random } = node
  const kept = new Map<string, SignedChain & { readonly untilMs: number }>()
  return async (links, grant, to) => {
    const nowMs = clock.now()
    const last = links.at(-1)
    const above =
      last === undefined ? undefined : decodeDelegation(last, nowMs, (owner) => readableKeysOf(anchors, owner))
    if (!above) return refuse('delegation.not-held', 'there is no chain to hand on from')
    if (above.kind === 'deny') return above
    const { credential, statement } = node.issued()
    const { capabilities, constraints, allowance, labels, forMs } = grant
    const key = JSON.stringify([
      hashChain(links),
      formatAgentId(to),
      capabilities,
      constraints,
      labels,
      forMs,
      credential,
    ])
    const known = allowance ? undefined : kept.get(key)
    if (known && nowMs < known.untilMs) return { kind: 'allow', chain: known }
    const notBeforeMs = Math.max(nowMs, above.delegation.notBeforeMs)
    const expiresAtMs = Math.min(nowMs + forMs, above.delegation.expiresAtMs)
    try {
      const extended = await extendDelegation(
        links,
        {
          id: formatId(random.bytes(16)),
          delegate: to,
          capabilities,
          ...(constraints ? { constraints } : {}),
          ...(allowance ? { allowance } : {}),
          ...(labels ? { labels } : {}),
          notBeforeMs,
          expiresAtMs,
        },
        { signer, agent: node.agent(), credential, statement },
      )
      const chain = { links: extended, hash: hashChain(extended) }
      if (!allowance) kept.set(key, { ...chain, untilMs: (nowMs + expiresAtMs) / 2 })
      for (const oldest of kept.keys()) {
        if (kept.size <= maxKept) break
        kept.delete(oldest)
      }
      return { kind: 'allow', chain }
    } catch (error) {
      if (isMeshError(error)) return refuse(error.code, error.message)
      throw error
    }
  }
}
