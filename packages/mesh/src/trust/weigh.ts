import type { Logger } from '@parley/ports'
import { formatAgentId, type Capability } from '@parley/protocol'
import type { VerifiedCredential } from '@parley/identity'
import type { EvidenceRole, TrustLedger } from '@parley/trust'
import type { BareOutcome } from '../contract/outcome.ts'

/** What one side saw of a hop, as far as it says something about the other. */
export interface Weighed {
  readonly capability: Capability
  /** Leaf hash of the request: what the evidence rests on. */
  readonly leaf: string
  readonly outcome: BareOutcome
}

/** Where evidence goes. */
export interface Scales {
  readonly trust: TrustLedger
  readonly logger: Logger
}

/**
 * Adds what a hop shows about the peer to the ledger: as callee by how the call ended, as caller by whether it was
 * authentic, within its grant and not aborted. What was never sent is nobody's evidence. Never throws: the hop is over.
 */
export function weigh(scales: Scales, role: EvidenceRole, peer: VerifiedCredential, seen: Weighed): void {
  const { trust, logger } = scales
  const { capability, leaf, outcome } = seen
  try {
    const observation = trust.observe({
      peer: formatAgentId(peer),
      capability,
      role,
      outcome: outcome.kind,
      ...('code' in outcome ? { code: outcome.code } : {}),
      envelope: leaf,
    })
    if (observation.kind === 'deny') logger.warn('trust.not-observed', { peer: peer.name, code: observation.code })
  } catch (error) {
    logger.error('trust.not-observed', {
      peer: peer.name,
      error: error instanceof Error ? error.message : 'not an error',
    })
  }
}
