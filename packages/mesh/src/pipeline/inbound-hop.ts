import type { Delivery } from '@parley/ports'
import type { EnvelopeHeader, ErrorCode, Frame, FramedEnvelope, SubjectFacts, Usage } from '@parley/protocol'
import type { VerifiedChain, VerifiedCredential } from '@parley/identity'
import type { PolicyDecision } from '@parley/policy'
import type { AllowanceAccount } from '../delegation/allowance-ledger.ts'
import type { EvidenceOf, InFrame } from '../session/evidence-of.ts'
import type { Listening } from '../events/listening.ts'
import type { HandedChain } from '../delegation/handed-chain.ts'
import type { NodeParts } from '../node/node-parts.ts'
import type { BareOutcome } from '../contract/outcome.ts'
import type { PartTally } from '../stream/part-tally.ts'
import type { Session } from '../session/session.ts'
import type { AskedApproval } from '../approvals/approval-request.ts'
import type { BodyRewrite } from './decide-hop.ts'
import type { EffectiveTrust } from './effective-trust.ts'

/** What came from the bus, before its proof. */
export interface InboundFrame {
  readonly parts: NodeParts
  readonly delivery: Delivery
  /** Left by `frame`. */
  subject?: SubjectFacts
  /** Left by `frame`: how many envelopes the frame says that it holds. */
  envelopes?: number
  /** Left by `proof`. */
  frame?: Frame
}

/** One envelope whose proof held, on its way through the stages. */
export interface InboundHop {
  readonly parts: NodeParts
  readonly subject: SubjectFacts
  readonly envelope: FramedEnvelope
  /** Absent where it came out of memory, and not in a frame. */
  readonly inFrame?: InFrame
  readonly evidence: EvidenceOf
  /** Leaf hash in base64url. */
  readonly leaf: string
  /** Monotonic milliseconds. */
  readonly startedAtMs: number
  /** Left by `header`. */
  header?: EnvelopeHeader
  /** Left by `session`. */
  session?: Session
  /** Left by `listened`, and whom the credential of an event names. */
  listening?: Listening
  speaker?: VerifiedCredential
  /** Left by `mailbox`: where the outcome goes to as well. */
  mailbox?: string
  /** Left by `delegation`, where the caller acts under a chain. */
  chain?: VerifiedChain
  /** Left by `delegation`, where the caller hands a chain to this agent. */
  handed?: HandedChain
  /** Left by `unseal`: the body in the clear; replaced by `body` where it travels by reference. */
  body?: Uint8Array
  /** What the body is as JSON, once somebody read it. */
  json?: { readonly value: unknown } | 'none'
  /** Left by `trust`. */
  trust?: EffectiveTrust
  /** The code with which trust would have refused it, where it is only observed. */
  wouldRefuse?: ErrorCode
  /** Left by `policy`. */
  decision?: PolicyDecision
  /** Left by `policy`, where people are asked; what it let pass is used by `approval`. */
  approval?: AskedApproval
  /** Left by `policy`, where rules rewrote the body. */
  rewrite?: BodyRewrite
  /** Left by `admit`: gives the place back. */
  release?: () => void
  /** Left by `allowance`: the accounts that this node counts for the hop. */
  allowances?: readonly AllowanceAccount[]
  giveBackAllowance?: () => Promise<void>
  /** Left by `deliver`: what serving it used up. */
  usage?: Usage
  /** Left by `deliver`. */
  outcome?: BareOutcome
  /** The handler took the work on with a lease. */
  isAccepted?: boolean
  /** The caller took the call back. */
  isCancelled?: boolean
  /** What was streamed, where parts were asked for. */
  streamed?: PartTally
}
