import type { VerifiedChain } from '@parley/identity'

/** A chain whose last link hands capabilities to this node's name: what its handlers call on with. */
export interface HandedChain {
  readonly chain: VerifiedChain
  readonly links: readonly string[]
}
