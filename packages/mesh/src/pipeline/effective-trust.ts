import { formatAgentId, type AgentId } from '@parley/protocol'
import type { VerifiedCredential } from '@parley/identity'
import type { TrustLedger, Tier } from '@parley/trust'

/** The trust that decides about a hop: the lowest of the peer and of everybody who handed the right on to it. */
export interface EffectiveTrust {
  /** 0 to 1000. */
  readonly score: number
  readonly tier: Tier
  /** Whose trust it is. */
  readonly of: string
}

/** Computes the effective trust of a peer, given the agents of the chain that it acts under. */
export function effectiveTrust(
  ledger: TrustLedger,
  peer: VerifiedCredential,
  capability: string,
  chain: readonly AgentId[],
): EffectiveTrust {
  const own = { ...ledger.view(formatAgentId(peer), { ceiling: peer.ceiling, capability }), of: peer.name as string }
  return chain
    .map((agent) => ({ ...ledger.view(formatAgentId(agent), { capability }), of: agent.name as string }))
    .reduce((lowest, view) => (view.score < lowest.score ? view : lowest), own)
}
