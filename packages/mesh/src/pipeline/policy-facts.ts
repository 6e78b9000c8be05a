import type { VerifiedChain, VerifiedCredential } from '@parley/identity'
import { noDelegation, noObjective, type PolicyDelegation, type PolicyObjective } from '@parley/policy'
import { formatAgentId, type Capability } from '@parley/protocol'
import type { HeldChain } from '../delegation/held-chain.ts'
import type { NodeParts } from '../node/node-parts.ts'

/** Describes the chain that a caller acts under, as the callee verified it. */
export function policyDelegation(chain: VerifiedChain | undefined): PolicyDelegation {
  if (!chain) return noDelegation
  const { root, depth, constraints, links } = chain
  return { present: true, root, depth, constraints: { ...constraints }, left: leftOf(links.at(-1)?.allowance) }
}

/** Describes the chain that this node is about to act under. Its root and constraints are the callee's to judge. */
export function heldDelegation(chain: HeldChain | undefined): PolicyDelegation {
  if (!chain) return noDelegation
  const left = leftOf(chain.account?.link.allowance)
  return { present: true, root: '', depth: chain.links.length, constraints: {}, left }
}

/** Reads how the judged side keeps its objective, when a rule asks. */
export function policyObjective(
  { reliability }: Pick<NodeParts, 'reliability'>,
  peer: VerifiedCredential,
  capability: Capability,
): () => PolicyObjective {
  return () => {
    const found = reliability.stateOf({ peer: formatAgentId(peer), capability })
    if (!found) return noObjective
    return { known: true, target: found.target, budgetLeft: found.budgetLeft, breaker: found.state }
  }
}

type Allowance = NonNullable<VerifiedChain['links'][number]['allowance']>

function leftOf(allowance: Allowance | undefined): PolicyDelegation['left'] {
  if (!allowance) return {}
  const { calls, tokens, money } = allowance
  return {
    ...(calls === undefined ? {} : { calls }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(money ? { amount: Number(money.amount), currency: money.currency } : {}),
  }
}
