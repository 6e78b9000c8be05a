import { allowed, formatAgentId, type AgentId, type Refusal, type Verdict } from '@parley/protocol'
import type { VerifiedCredential } from '@parley/identity'
import type { ObservedHop } from './observed-hop.ts'
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

/**
 * Asks the ledger about a peer and the chain that it acts under, once all of them are in memory: who is in quarantine is
 * refused, unless `onQuarantine` has a reason not to. `decide` then goes on with what is known.
 */
export function withTrust(
  ledger: TrustLedger,
  peer: VerifiedCredential,
  chain: readonly AgentId[],
  onQuarantine: (refusal: Refusal) => Verdict,
  decide: () => Verdict,
): Verdict | Promise<Verdict> {
  const go = (): Verdict => {
    const admitted = ledger.admit(formatAgentId(peer))
    const verdict = admitted.kind === 'deny' ? onQuarantine(admitted) : admitted
    return verdict.kind === 'deny' ? verdict : decide()
  }
  const entering = [peer, ...chain].flatMap((agent) => ledger.enter(formatAgentId(agent)) ?? [])
  return entering.length === 0 ? go() : Promise.all(entering).then(go)
}

/** What quarantine does to a hop: nothing to a way back, which never hangs on a forward door, or where it is observed. */
export function passQuarantine(
  hop: ObservedHop,
  capability: string,
  saga: { readonly phase: string } | undefined,
): (refusal: Refusal) => Verdict {
  return (refusal) => {
    if (saga !== undefined && saga.phase !== 'do') return allowed
    if (hop.parts.trustMode(capability) === 'enforce') return refusal
    hop.wouldRefuse = refusal.code
    return allowed
  }
}
