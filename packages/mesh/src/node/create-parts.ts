import { createPassingMap, systemHash, type Signer, type Store, type Transport } from '@parley/ports'
import type { AuditLog } from '@parley/audit'
import { createCredentialMemory, createOrderBook } from '@parley/identity'
import { createLimitMeter } from '@parley/policy'
import { formatMailboxToken, limits, type InstanceDid } from '@parley/protocol'
import { createBulkheads, createReliability } from '@parley/reliability'
import type { TrustLedger } from '@parley/trust'
import { createDeadLetterBox } from '../dead-letters/create-dead-letter-box.ts'
import { createApprovalDesk } from '../approvals/approval-desk.ts'
import { createActing } from '../calling/acting.ts'
import { createAllowanceLedger } from '../delegation/allowance-ledger.ts'
import { createBodyCarrier } from '../session/carried-body.ts'
import { createCardExchange } from '../discovery/card-exchange.ts'
import { createGrantedRates } from '../policy/granted-rates.ts'
import { createDecisionBodies } from '../policy/decision-bodies.ts'
import { createDecisionKeeper } from '../policy/decision-keeper.ts'
import { createDirectory } from '../discovery/directory.ts'
import { rememberBreakers } from '../calling/breaker-memory.ts'
import type { ContractEvent } from '../contract/event.ts'
import type { EventLog } from './event-log.ts'
import { createEventMemory } from '../events/event-memory.ts'
import { createHandOn } from '../delegation/hand-on.ts'
import { createHeldChainReader } from '../delegation/held-chain.ts'
import { createHandshake } from '../session/create-handshake.ts'
import { createInFlight } from './in-flight.ts'
import { createOrderFeed } from '../orders/create-order-feed.ts'
import { createOrderStore } from '../orders/order-store.ts'
import { createInstanceLoad } from '../calling/instance-load.ts'
import type { Door } from '../issuer/door.ts'
import type { Listening } from '../events/listening.ts'
import type { OutcomeListener } from '../mailbox/mailed-outcome.ts'
import { createRecentLeaves } from '../mailbox/recent-leaves.ts'
import { isMeshJoin, resolveName, type NodeConfig } from './node-options.ts'
import type { NodeParts } from './node-parts.ts'
import type { OwnCredential } from './own-credential.ts'
import type { PolicyInForce } from '../policy/policy-in-force.ts'
import { createPendingAnswers } from '../calling/pending-answers.ts'
import { createPresence } from '../discovery/presence.ts'
import { createRejectedFrames } from './rejected-frames.ts'
import { createSealer } from '../session/sealer.ts'
import { createSenderBuckets } from '../session/sender-buckets.ts'
import type { Served } from '../serving/served.ts'
import { createServiceStats } from '../serving/service-stats.ts'
import { createSessionTable, nextCounter, type Session } from '../session/session.ts'
import { createTimerQueue } from './timer-queue.ts'
import type { Accountability } from '../trust/accountability.ts'
import { createEvidenceFeed } from '../trust/create-evidence-feed.ts'
import { weigh } from '../trust/weigh.ts'

/** What the bus needs around a body: header, salt and frame prefix. */
const frameOverheadBytes = 16 * 1024
/** Enough to see who tries what, too few to fill a log or to hold up its writer. */
const strangerRecordsPerSecond = 32
/** An instance is offline after this many heartbeats that did not come. */
const lapseHeartbeats = 3

/** What a started node has opened; `createParts` joins it. */
export interface OpenedNode {
  readonly config: NodeConfig
  readonly signer: Signer
  readonly instance: InstanceDid
  readonly transport: Transport
  readonly store: Store
  readonly audit: AuditLog
  readonly note: EventLog
  readonly trust: TrustLedger
  readonly accountability: Accountability
  readonly own: OwnCredential
  readonly policy: PolicyInForce
  readonly served: ReadonlyMap<string, Served>
  readonly listening: ReadonlyMap<string, Listening>
  readonly outcomeListeners: readonly OutcomeListener[]
  readonly caller: NodeParts['caller']
  readonly isAccepting: () => boolean
  readonly onConflict: () => void
  readonly door?: Door
}

/** Joins what a node has opened into what its stages work with. */
export function createParts(opened: OpenedNode): NodeParts {
  const { config, signer, instance, transport, store, audit, note, trust, own, served } = opened
  const { name, mesh, clock, random, logger, anchors } = config
  const hash = systemHash
  const owner = anchors.ofName(name)?.owner
  const orders = createOrderBook({ anchors, staleness: config.orderStalenessMs })
  const timers = createTimerQueue(clock)
  const pending = createPendingAnswers(timers)
  const sealer = createSealer({
    signer,
    mesh,
    clock,
    hash,
    random,
    transport,
    maxEnvelopes: config.maxBundleEnvelopes,
    onAttempt: pending.sentAs,
  })
  const boot = Buffer.from(random.bytes(16)).toString('base64url')
  const presence = createPresence({
    sealer,
    boot,
    served,
    clock,
    logger,
    heartbeatMs: config.heartbeatMs,
    news: () => {
      const evidence = evidenceFeed.news()
      return { orders: orderFeed.sequences(), ...(evidence && { evidence }) }
    },
    issued: own.issued,
    accepting: opened.isAccepting,
    isProvisional: own.isProvisional,
  })
  const cancelAtCallee = (session: Session, leaf: string): void => {
    const issuedAtMs = clock.now()
    const header = { type: 'cancel' as const, to: session.peer.instance, session: session.id, inReplyTo: leaf }
    const times = { issuedAtMs, expiresAtMs: issuedAtMs + limits.skewMs }
    void sealer.send(sealer.seal({ ...header, ...times, counter: nextCounter(session) }, new Uint8Array()))
  }
  const maxBodyBytes = Math.min(limits.bodyBytes, transport.maxPayloadBytes - frameOverheadBytes)
  const scales = { trust, logger }
  const parts: NodeParts = {
    name,
    mesh,
    did: instance,
    boot,
    startedAtMs: clock.now(),
    clock,
    random,
    hash,
    logger,
    anchors,
    credentials: createCredentialMemory({ anchors, hash }),
    orders,
    sealer,
    presence,
    audit,
    note,
    trust,
    served,
    listening: opened.listening,
    eventMemory: createEventMemory(clock),
    mailbox: owner && formatMailboxToken(hash, { owner, name }),
    outcomeListeners: opened.outcomeListeners,
    mailHeard: createRecentLeaves(),
    stats: createServiceStats(served),
    sessions: createSessionTable(),
    directory: createDirectory(clock, config.heartbeatMs * lapseHeartbeats),
    timers,
    load: createInstanceLoad(),
    pending,
    buckets: createSenderBuckets(clock),
    strangerRecords: createSenderBuckets(clock, strangerRecordsPerSecond),
    reliability: createReliability({
      clock,
      objectives: config.objectives,
      onEvent: ({ kind, atMs, ...event }) => {
        note({ kind: 'breaker', event: kind, sinceMs: atMs, ...event })
        rememberBreakers(store, parts.reliability, logger)
      },
    }),
    bulkheads: createBulkheads(config.bulkheads),
    inFlight: createInFlight(config.maxServing),
    calls: createInFlight(Infinity),
    serving: createPassingMap(),
    ongoing: createPassingMap(),
    maxBodyBytes,
    bodyCarrier: createBodyCarrier({
      bodies: config.bodies,
      clock,
      hash,
      maxInlineBytes: maxBodyBytes,
      maxReferencedBytes: config.maxReferencedBytes,
    }),
    sealBodies: config.sealBodies,
    trustMode: config.trust.modeOf,
    accountability: config.trust.contagion ? opened.accountability : undefined,
    get evidenceFeed() {
      return evidenceFeed
    },
    cards: createCardExchange({
      emit: presence.emit,
      clock,
      logger,
      served,
      emits: config.serves.flatMap(({ events }): readonly ContractEvent[] => Object.values(events)),
      maxBodyBytes,
      policy: () => ({ hash: opened.policy.current().policyHash, ...opened.policy.facts() }),
      isProvisional: own.isProvisional,
    }),
    caller: opened.caller,
    rejected: createRejectedFrames(clock, (summary) => {
      note({ kind: 'rejected', ...summary })
    }),
    get orderFeed() {
      return orderFeed
    },
    acting: createActing(),
    allowances: createAllowanceLedger({ keyValue: store.keyValue, clock, logger }),
    handOn: createHandOn({ agent: own.verified, anchors, signer, clock, random, issued: own.issued }),
    readHeldChain: createHeldChainReader(anchors),
    policy: opened.policy.current,
    limits: createLimitMeter({ clock }),
    grantedRates: createGrantedRates(),
    shadowPolicy: config.shadowPolicy,
    decisions:
      config.keepDecisions &&
      createDecisionKeeper({
        keep: config.keepDecisions,
        bodies: createDecisionBodies({
          keyValue: store.keyValue,
          clock,
          logger,
          keepMs: config.keepDecisionBodiesMs,
        }),
        hash,
        note,
      }),
    deadLetters: createDeadLetterBox({ keyValue: store.keyValue, clock, hash, note, logger }),
    approvals: createApprovalDesk({ keyValue: store.keyValue, clock, random, hash, anchors, orders, note }),
    ownCredential: own.verified,
    issued: own.issued,
    accepting: opened.isAccepting,
    isProvisional: own.isProvisional,
    ...(opened.door ? { door: opened.door } : {}),
    conflict: opened.onConflict,
    resolve: (agent) => resolveName(config, agent),
    cancelAtCallee,
    weighCallee: (peer, seen) => {
      weigh(scales, 'callee', peer, seen)
    },
    weighCaller: (peer, seen) => {
      weigh(scales, 'caller', peer, seen)
    },
    get handshake() {
      return handshake
    },
  }
  const handshake = createHandshake(parts)
  const orderFeed = createOrderFeed({
    parts,
    store: createOrderStore(store, mesh, clock, logger),
    orderNews: isMeshJoin(config.issuer) ? undefined : config.issuer.orderNews,
    emit: presence.emit,
  })
  const evidenceFeed = createEvidenceFeed({ parts, share: config.trust.share, emit: presence.emit })
  return parts
}
