import type { DocumentLimit } from '@parley/policy'

/**
 * How many calls a minute the limits of the policy let a peer make, learnt from the decisions about it: what keeps within them
 * is not too fast, however seldom the peer called before. Limits on amounts are no rates; and where a peer may do something
 * without a limit too, no rate is granted: its past alone says what is too fast.
 *
 * I1 At most `maxAgents` are remembered, those that were decided about last.
 */
export interface GrantedRates {
  /** Takes in the limits of a decision that lets a call pass, if they are not used up. */
  note(agent: string, action: string, limits: readonly DocumentLimit[]): void
  /** Calls that may come in the busiest minute: what the buckets hold, and what flows in. undefined where something has none. */
  perMinute(agent: string): number | undefined
  /** Another policy is in force: what the one before granted says nothing any more. */
  forget(): void
}

const maxAgents = 10_000
const minuteMs = 60_000

/** Creates a memory of no rates. */
export function createGrantedRates(): GrantedRates {
  const byAgent = new Map<string, Map<string, number>>()
  const ratesOf = (agent: string): Map<string, number> => {
    const known = byAgent.get(agent) ?? new Map<string, number>()
    // What is used last is forgotten last.
    byAgent.delete(agent)
    byAgent.set(agent, known)
    const [oldest] = byAgent.size > maxAgents ? byAgent.keys() : []
    if (oldest !== undefined) byAgent.delete(oldest)
    return known
  }
  return {
    note(agent, action, limits) {
      // Most policies have no limits, and most hops end here.
      if (limits.length === 0 && byAgent.size === 0) return
      let tightest: DocumentLimit | undefined
      for (const limit of limits)
        if (limit.isAmount !== true && (!tightest || inAMinute(limit) < inAMinute(tightest))) tightest = limit
      if (!tightest) {
        byAgent.get(agent)?.set(action, Infinity)
        return
      }
      // One bucket for all capabilities of a rule is counted once.
      const key = tightest.isShared === true ? `${tightest.document}#${tightest.rule}` : action
      ratesOf(agent).set(key, inAMinute(tightest))
    },
    perMinute(agent) {
      const rates = byAgent.get(agent)
      if (!rates) return undefined
      let sum = 0
      for (const rate of rates.values()) sum += rate
      return sum === Infinity ? undefined : sum
    },
    forget: () => {
      byAgent.clear()
    },
  }
}

function inAMinute({ max, perMs }: DocumentLimit): number {
  return max + (max * minuteMs) / perMs
}
