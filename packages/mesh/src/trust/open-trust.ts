import type { Signer, Store } from '@parley/ports'
import { formatAgentId, isAgentName, type AgentId, type Did } from '@parley/protocol'
import { verifySignature, type Anchors, type OrderBook } from '@parley/identity'
import { openTrustLedger, type OrdersAbout, type TrustLedger } from '@parley/trust'
import type { EventLog } from '../node/event-log.ts'
import { resolveName, type NodeConfig } from '../node/node-options.ts'
import type { NodeParts } from '../node/node-parts.ts'
import type { Accountability } from './accountability.ts'

/** What the ledger of a node is opened with. */
export interface OpenTrustOptions {
  readonly config: NodeConfig
  readonly store: Store
  readonly signer: Signer
  readonly note: EventLog
  readonly accountability: Accountability
  /** What is joined together after the ledger is open. */
  readonly joined: { readonly parts?: Pick<NodeParts, 'orders' | 'evidenceFeed' | 'grantedRates'> }
}

/** Opens the ledger of a node: its agent observes, its instance signs, its anchors say who is known, owners' orders count. */
export function openTrust(options: OpenTrustOptions): Promise<TrustLedger> {
  const { config, store, signer, note, accountability, joined } = options
  const { name, clock, random, logger, anchors, trust } = config
  const agent = resolveName(config, name)
  return openTrustLedger({
    store,
    clock,
    random,
    logger,
    signer,
    rater: agent === undefined ? name : formatAgentId(agent),
    verify: verifySignature,
    model: trust.model,
    isVouched: (peer) => isVouched(anchors, peer),
    isShared: trust.share !== undefined,
    onShare: (sealed) => joined.parts?.evidenceFeed.tell(sealed),
    ordersAbout: (peer, nowMs) => ordersAbout(joined.parts?.orders, peer, nowMs),
    ...(trust.contagion && { answersFor: (peer: string) => accountability.answersFor(peer) }),
    behaviour: {
      grantedPerMinute: (peer) => trust.grantedPerMinute(parsePeer(peer)) ?? joined.parts?.grantedRates.perMinute(peer),
    },
    onTierChange: ({ atMs, ...change }) => {
      note({ kind: 'trust', event: 'tier-changed', sinceMs: atMs, ...change })
    },
    onQuarantine: ({ kind, atMs, ...quarantine }) => {
      note({ kind: 'trust', event: quarantine.untilMs > atMs ? kind : 'released', sinceMs: atMs, ...quarantine })
    },
  })
}

function ordersAbout(orders: OrderBook | undefined, peer: string, nowMs: number): ReturnType<OrdersAbout> {
  if (orders === undefined || orders.hasNoneTimed()) return undefined
  const agent = parsePeer(peer)
  const pin = orders.pinOf(agent, nowMs)
  const quarantine = orders.quarantineOf(agent, nowMs)
  if (!pin && !quarantine) return undefined
  const { reason = 'it gives no reason', untilMs = nowMs } = quarantine ?? {}
  return { ...(pin && { pin }), ...(quarantine && { quarantine: { reason, untilMs } }) }
}

/** Takes the key of a peer apart, which this node itself made of an owner and a name. */
function parsePeer(peer: string): AgentId {
  const [owner = '', name = ''] = peer.split(' ')
  return { owner: owner as Did, name: name as AgentId['name'] }
}

/** Tells whether an anchor vouches for a peer's name under its owner. */
function isVouched(anchors: Anchors, peer: string): boolean {
  const { owner, name } = parsePeer(peer)
  return isAgentName(name) && anchors.ofName(name)?.owner === owner
}
