import { formatAgentId, type AgentId } from '@parley/protocol'

/** Who answers for what whom does, as far as this node saw it. */
export interface Accountability {
  /** Notes a peer, and the agents who handed on to it what it may do, in their order. */
  note(peer: AgentId, chain: readonly AgentId[]): void
  /** Lists those for whose doings a peer answers: other names of its owner, and its delegates. */
  answersFor(peer: string): readonly string[]
}

/** Every judgement looks at all of them, and at those that they answer for. */
const maxPerPeer = 32
const maxPeers = 10_000

/** Creates an empty memory. It forgets whom it saw longest ago. */
export function createAccountability(): Accountability {
  const namesOfOwner = new Map<string, Set<string>>()
  const delegates = new Map<string, Set<string>>()
  return {
    note(peer, chain) {
      const names = [...chain, peer]
      for (const [at, one] of names.entries()) {
        remember(namesOfOwner, one.owner, formatAgentId(one))
        const from = names[at - 1]
        if (from && formatAgentId(from) !== formatAgentId(one))
          remember(delegates, formatAgentId(from), formatAgentId(one))
      }
    },
    answersFor(peer) {
      const [owner = ''] = peer.split(' ')
      const names = [...(namesOfOwner.get(owner) ?? []), ...(delegates.get(peer) ?? [])]
      return names.filter((name) => name !== peer)
    },
  }
}

function remember(sets: Map<string, Set<string>>, key: string, name: string): void {
  const known = sets.get(key) ?? new Set()
  known.delete(name)
  known.add(name)
  sets.delete(key)
  sets.set(key, known)
  dropOldest(known, maxPerPeer)
  dropOldest(sets, maxPeers)
}

function dropOldest(kept: Set<string> | Map<string, unknown>, most: number): void {
  const [oldest] = kept.keys()
  if (kept.size > most && oldest !== undefined) kept.delete(oldest)
}
