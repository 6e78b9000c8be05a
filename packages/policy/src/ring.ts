import type { PolicyPeer } from './policy-input.ts'

const rings: Readonly<Record<PolicyPeer['tier'], number>> = {
  verified: 1,
  trusted: 1,
  standard: 2,
  probationary: 3,
  untrusted: 4,
}

/**
 * Tells the most privileged ring that a peer reaches under `parley:defaults` by its score alone: 1 for irreversible work,
 * 2 for reversible, 3 for reading, 4 for nothing; 0, administration, is for people.
 */
export function ringOf({ kind, tier }: Pick<PolicyPeer, 'kind' | 'tier'>): number {
  return kind === 'human' ? 0 : rings[tier]
}
