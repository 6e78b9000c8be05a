import type { Clock, Hash, IssuedCredential, Logger, PassingMap, Random } from '@parley/ports'
import type { AgentId, AgentName, InstanceDid } from '@parley/protocol'
import type { AuditLog } from '@parley/audit'
import type { Anchors, CredentialMemory, OrderBook, VerifiedCredential } from '@parley/identity'
import type { LimitMeter, PolicySet } from '@parley/policy'
import type { Bulkheads, Reliability } from '@parley/reliability'
import type { TrustLedger } from '@parley/trust'
import type { ApprovalDesk } from '../approvals/approval-desk.ts'
import type { Acting } from '../calling/acting.ts'
import type { AllowanceLedger } from '../delegation/allowance-ledger.ts'
import type { BodyCarrier } from '../session/carried-body.ts'
import type { CardExchange } from '../discovery/card-exchange.ts'
import type { DeadLetterBox } from '../dead-letters/dead-letter-box.ts'
import type { DecisionKeeper } from '../policy/decision-keeper.ts'
import type { Directory } from '../discovery/directory.ts'
import type { Presence } from '../discovery/presence.ts'
import type { EventLog } from './event-log.ts'
import type { EventMemory } from '../events/event-memory.ts'
import type { HandOn } from '../delegation/hand-on.ts'
import type { Handshake } from '../session/handshake.ts'
import type { ReadHeldChain } from '../delegation/held-chain.ts'
import type { InFlight } from './in-flight.ts'
import type { InstanceLoad } from '../calling/instance-load.ts'
import type { Door } from '../issuer/door.ts'
import type { Listening } from '../events/listening.ts'
import type { OutcomeListener } from '../mailbox/mailed-outcome.ts'
import type { RecentLeaves } from '../mailbox/recent-leaves.ts'
import type { MeshNode } from './node.ts'
import type { OngoingCall } from '../calling/ongoing-call.ts'
import type { GrantedRates } from '../policy/granted-rates.ts'
import type { OrderFeed } from '../orders/order-feed.ts'
import type { RejectedFrames } from './rejected-frames.ts'
import type { PendingAnswers } from '../calling/pending-answers.ts'
import type { Sealer } from '../session/sealer.ts'
import type { SenderBuckets } from '../session/sender-buckets.ts'
import type { Served } from '../serving/served.ts'
import type { ServingCall } from '../serving/serving-call.ts'
import type { ServiceStats } from '../serving/service-stats.ts'
import type { Session, SessionTable } from '../session/session.ts'
import type { TimerQueue } from './timer-queue.ts'
import type { Accountability } from '../trust/accountability.ts'
import type { EvidenceFeed } from '../trust/evidence-feed.ts'
import type { TrustModeOf } from '../trust/trust-mode.ts'
import type { Weighed } from '../trust/weigh.ts'

/** What the stages of a started node work with. Judgement and ports meet here and nowhere else. */
export interface NodeParts {
  readonly name: AgentName
  readonly mesh: string
  readonly did: InstanceDid
  readonly boot: string
  /** Wall time of this start: what was signed before is of an earlier one. */
  readonly startedAtMs: number
  readonly clock: Clock
  /** For deadlines of calls, of which there are many. */
  readonly timers: TimerQueue
  readonly random: Random
  readonly hash: Hash
  readonly logger: Logger
  readonly anchors: Anchors
  /** Verifies what comes without a session. */
  readonly credentials: CredentialMemory
  readonly orders: OrderBook
  readonly sealer: Sealer
  readonly sessions: SessionTable
  readonly directory: Directory
  readonly presence: Presence
  readonly cards: CardExchange
  readonly load: InstanceLoad
  readonly pending: PendingAnswers
  readonly buckets: SenderBuckets
  /** Records a second that all who have no session may cause; what goes beyond is counted. */
  readonly strangerRecords: SenderBuckets
  readonly trust: TrustLedger
  readonly audit: AuditLog
  readonly note: EventLog
  readonly reliability: Reliability
  readonly bulkheads: Bulkheads
  /** Calls that are being served. */
  readonly inFlight: InFlight
  /** Calls that this node makes. */
  readonly calls: InFlight
  readonly served: ReadonlyMap<string, Served>
  /** What listens to events of contracts, by topic. */
  readonly listening: ReadonlyMap<string, Listening>
  readonly eventMemory: EventMemory
  /** The token of the mailbox of this node's name; undefined where no anchor covers it. */
  readonly mailbox: string | undefined
  readonly outcomeListeners: readonly OutcomeListener[]
  readonly mailHeard: RecentLeaves
  readonly stats: ServiceStats
  /** Calls that are being served, by leaf, so that their callers can cancel them and take parts. */
  readonly serving: PassingMap<string, ServingCall>
  /** Calls that this node made and that go on, by leaf. */
  readonly ongoing: PassingMap<string, OngoingCall>
  /** Bytes that one body may have in an envelope on this bus; sealing takes some of them. */
  readonly maxBodyBytes: number
  readonly bodyCarrier: BodyCarrier
  /** Every body is encrypted, not only those whose contract asks for it. */
  readonly sealBodies: boolean
  /** Whether trust decides about a capability, or is only observed. */
  readonly trustMode: TrustModeOf
  /** Who answers for whom; noted where blame spreads. */
  readonly accountability: Accountability | undefined
  readonly evidenceFeed: EvidenceFeed
  readonly caller: Pick<MeshNode, 'call' | 'tryCall' | 'stream' | 'emit'>
  readonly orderFeed: OrderFeed
  readonly acting: Acting
  readonly allowances: AllowanceLedger
  readonly handOn: HandOn
  readonly readHeldChain: ReadHeldChain
  policy(): PolicySet
  readonly approvals: ApprovalDesk
  readonly deadLetters: DeadLetterBox
  /** Records what each decision read; undefined where nothing is kept for replay. */
  readonly decisions: DecisionKeeper | undefined
  /** Decides beside the policy in force, on the record and without effect. */
  readonly shadowPolicy: PolicySet | undefined
  /** The token buckets of the policy's limits. */
  readonly limits: LimitMeter
  /** What those limits let callers do. */
  readonly grantedRates: GrantedRates
  /** The node's own credential, verified under its own anchors. */
  ownCredential(): VerifiedCredential
  /** The same as the issuer gave it. */
  issued(): IssuedCredential
  accepting(): boolean
  /** There is no credential yet, only an admission: nothing is announced and nobody is welcomed. */
  isProvisional(): boolean
  /** Lets in who has no credential; only an issuer has one. */
  readonly door?: Door
  readonly rejected: RejectedFrames
  readonly handshake: Handshake
  /** Finds the owner of a name under this node's anchors. */
  resolve(name: AgentName): AgentId | undefined
  /** Tells the callee that nobody waits any more. Best effort. */
  cancelAtCallee(session: Session, leaf: string): void
  /** Another process was seen with this instance's key: stop serving. */
  conflict(): void
  /** Adds what a call shows about its callee to the ledger. */
  weighCallee(peer: VerifiedCredential, seen: Weighed): void
  /** Adds what a hop shows about its caller to the ledger. */
  weighCaller(peer: VerifiedCredential, seen: Weighed): void
}
