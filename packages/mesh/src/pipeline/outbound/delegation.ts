import { hashChain } from '@parley/identity'
import { allowed, limits, refuse } from '@parley/protocol'
import type { OutboundHop } from '../outbound-hop.ts'
import type { Stage } from '../stage.ts'

/**
 * Attaches the chain that the call acts under. Whether it is enough is the callee's to judge: only its anchors say who
 * may be a root there. Undo and lookup need none.
 */
export const delegation: Stage<OutboundHop> = {
  name: 'delegation',
  run(hop) {
    const { delegation: links, saga } = hop.options
    if (!links || (saga && saga.phase !== 'do')) return allowed
    if (links.length === 0 || links.length > limits.chainLinks)
      return refuse(
        'delegation.too-deep',
        `a chain has 1 to ${String(limits.chainLinks)} links, not ${String(links.length)}`,
      )
    hop.chain = nameChain(links)
    return allowed
  },
}

interface NamedChain {
  readonly hash: string
  readonly links: readonly string[]
}

const named = new WeakMap<readonly string[], NamedChain>()

/** Hashes a chain once, however many calls are made under it. A list that was changed meanwhile is another chain. */
function nameChain(links: readonly string[]): NamedChain {
  const known = named.get(links)
  if (known?.links.length === links.length && known.links.every((link, at) => link === links[at])) return known
  const chain = { hash: hashChain(links), links: [...links] }
  named.set(links, chain)
  return chain
}
