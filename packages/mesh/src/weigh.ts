import { formatAgentId, type EnvelopeHeader } from '@parley/protocol'
import type { VerifiedCredential } from '@parley/identity'
import type { Evidence, TrustLedger } from '@parley/trust'
import type { Clock, Logger } from '@parley/ports'
import type { BareOutcome } from './outcome.ts'
import type { OutboundHop } from './pipeline/outbound-hop.ts'

/** Where evidence goes. */
export interface Scales {
  readonly trust: TrustLedger
  readonly clock: Clock
  readonly logger: Logger
}

/** Adds what a call shows about its callee. What this node refused itself was never sent and is nobody's evidence. */
export function weighCallee(scales: Scales, peer: VerifiedCredential, hop: OutboundHop, outcome: BareOutcome): void {
  observe(scales, {
    id: `${hop.id} callee`,
    peer: formatAgentId(peer),
    capability: hop.contract.capability,
    role: 'callee',
    envelope: hop.sealed?.leaf,
    outcome,
  })
}

/** Adds what a hop shows about its caller: authentic, within its grant, not aborted. */
export function weighCaller(
  scales: Scales,
  peer: VerifiedCredential,
  leaf: string,
  header: EnvelopeHeader,
  outcome: BareOutcome,
): void {
  if (header.capability === undefined) return
  observe(scales, {
    id: `${leaf} caller`,
    peer: formatAgentId(peer),
    capability: header.capability,
    role: 'caller',
    envelope: leaf,
    outcome,
  })
}

function observe(
  { trust, clock, logger }: Scales,
  about: Pick<Evidence, 'id' | 'peer' | 'capability' | 'role'> & {
    readonly envelope: string | undefined
    readonly outcome: BareOutcome
  },
): void {
  const { envelope, outcome, ...rest } = about
  const observation = trust.observe({
    ...rest,
    atMs: clock.now(),
    outcome: outcome.kind,
    ...('code' in outcome ? { code: outcome.code } : {}),
    ...(envelope === undefined ? {} : { envelope }),
  })
  if (observation.kind === 'deny') logger.warn('trust.not-observed', { peer: about.peer, code: observation.code })
}
