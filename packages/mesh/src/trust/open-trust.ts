import type { Signer, Store } from '@parley/ports'
import { formatAgentId, isAgentName, type Verdict } from '@parley/protocol'
import { verifyAttestation, verifySignature, type Anchors } from '@parley/identity'
import { openTrustLedger, type TrustLedger } from '@parley/trust'
import type { EventLog } from './event-log.ts'
import { resolveName, type NodeConfig } from './node-options.ts'

/** What the ledger of a node is opened with. */
export interface OpenTrustOptions {
  readonly config: NodeConfig
  readonly store: Store
  readonly signer: Signer
  readonly note: EventLog
}

/** Opens the ledger of a node: its agent observes, its instance signs, its anchors say who is known. */
export function openTrust({ config, store, signer, note }: OpenTrustOptions): Promise<TrustLedger> {
  const { name, clock, logger, anchors } = config
  const agent = resolveName(config, name)
  return openTrustLedger({
    store,
    clock,
    logger,
    signer,
    rater: agent === undefined ? name : formatAgentId(agent),
    verify: verifySignature,
    isVouched: (peer) => isVouched(anchors, peer),
    onTierChange: ({ atMs, ...change }) => {
      note({ kind: 'trust', event: 'tier-changed', sinceMs: atMs, ...change })
    },
    onQuarantine: ({ kind, atMs, ...quarantine }) => {
      note({ kind: 'trust', event: kind, sinceMs: atMs, ...quarantine })
    },
  })
}

/** Takes an agent's signed word about another one into a ledger. */
export async function takeAttestation(
  ledger: TrustLedger,
  anchors: Anchors,
  token: string,
  nowMs: number,
): Promise<Verdict> {
  const verdict = verifyAttestation(token, { anchors, nowMs })
  if (verdict.kind === 'deny') return verdict
  const { rater, about, score, issuedAtMs, expiresAtMs } = verdict.attestation
  const peer = formatAgentId(about)
  await ledger.enter(peer)
  return ledger.attest({ rater: formatAgentId(rater), peer, score, issuedAtMs, expiresAtMs, token })
}

/** Tells whether an anchor vouches for a peer's name under its owner. */
function isVouched(anchors: Anchors, peer: string): boolean {
  const [owner, name = ''] = peer.split(' ')
  return isAgentName(name) && anchors.ofName(name)?.owner === owner
}
