import type { AgentName, Refusal, Verdict } from '@parley/protocol'
import type { TrustExplanation } from '@parley/trust'

/** Why something is done, for whoever asks later. */
export interface TrustReason {
  /** 1 to 512 characters. */
  readonly reason: string
}

/** Why, and for how long. */
export interface TrustTerms extends TrustReason {
  readonly forMs: number
}

/**
 * What an operator sees and does of trust. Everything that it does is durable and on the record when it resolves. It refuses
 * as values: `trust.peer-unknown` for a name under no anchor, else with the ledger's codes. All but `explain` reject
 * with `mesh.not-started` before `start`.
 */
export interface NodeTrust {
  /** Explains the score of an agent: what moved it, what is ordered, what would raise it. Undefined under no anchor. */
  explain(agent: AgentName): Promise<TrustExplanation | undefined>
  /** Holds a score, whatever the evidence says; it wins over a pin that the agent's owner ordered. */
  pin(agent: AgentName, score: number, terms: TrustTerms): Promise<Verdict>
  unpin(agent: AgentName, why: TrustReason): Promise<Verdict>
  /** Puts an agent apart at this node: its hops are refused with `trust.quarantined`. Elsewhere it takes its owner's order. */
  quarantine(agent: AgentName, terms: TrustTerms): Promise<Verdict>
  /** Takes a quarantine of this node back, whether an operator or its own watch put it. */
  release(agent: AgentName, why: TrustReason): Promise<Verdict>
  /** Signs this agent's word about another one, for nodes of others to take: the score that it has here unless given. */
  attest(
    agent: AgentName,
    terms: { readonly forMs: number; readonly score?: number },
  ): Promise<{ readonly kind: 'allow'; readonly token: string } | Refusal>
  /**
   * Takes another agent's signed word about a peer: weighed by that agent's own tier here, capped, and gone when it expires.
   * Refuses with the code of what does not hold.
   */
  take(token: string): Promise<Verdict>
}
