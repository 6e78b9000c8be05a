import type { PolicyDecision } from '@parley/policy'
import type { ErrorCode, Usage } from '@parley/protocol'
import type { SignedPart } from '../calling/call-receipt.ts'
import type { CallOptions } from '../calling/call-options.ts'
import type { ContractCapability } from '../contract/contract.ts'
import type { DirectoryEntry } from '../discovery/directory.ts'
import type { InFrame } from '../session/evidence-of.ts'
import type { SignedChain } from '../delegation/hand-on.ts'
import type { HeldChain } from '../delegation/held-chain.ts'
import type { NodeParts } from '../node/node-parts.ts'
import type { BareOutcome } from '../contract/outcome.ts'
import type { PartReceiver } from '../stream/part-receiver.ts'
import type { Session } from '../session/session.ts'
import type { SealedEnvelope } from '../session/sealer.ts'
import type { AskedApproval } from '../approvals/approval-request.ts'
import type { BodyRewrite } from './decide-hop.ts'
import type { EffectiveTrust } from './effective-trust.ts'

/** One call on its way through the stages. */
export interface OutboundHop {
  readonly parts: NodeParts
  readonly contract: ContractCapability
  /** Replaced by `policy` where rules rewrite it. */
  input: unknown
  /** `policy` adds what its rules oblige to. */
  options: CallOptions
  readonly id: string
  readonly trace: string
  /** Monotonic milliseconds. */
  readonly startedAtMs: number
  /** Takes the parts, where they are asked for. */
  readonly receiver?: PartReceiver
  /** Left by `deadline`, monotonic milliseconds. */
  deadlineAtMs?: number
  /** Left by `address`. */
  peer?: DirectoryEntry
  /** Left by `address`: counts the call out of its instance, with its duration if that says something. */
  leaveInstance?: (durationMs?: number) => void
  /** Left by `delegation`. */
  chain?: HeldChain
  /** Left by `delegation`: the chain that `delegate` hands on from. */
  handFrom?: HeldChain
  /** Left by `trust`. */
  trust?: EffectiveTrust
  /** The code with which trust would have refused it, where it is only observed. */
  wouldRefuse?: ErrorCode
  /** Left by `policy`. */
  decision?: PolicyDecision
  /** Left by `policy`, where people are asked; what it let pass is used by `approval`. */
  approval?: AskedApproval
  /** Left by `policy`, where rules rewrote the input. */
  rewrite?: BodyRewrite
  /** Left by `breaker`: told how it ended. */
  settleBreaker?: (outcome: BareOutcome['kind'], durationMs: number) => void
  /** Left by `bulkhead`: gives the place back. */
  release?: () => void
  /** Left by `allowance` and `approval`: gives back what was not used. */
  settleTaken?: (outcome: BareOutcome) => Promise<void>
  /** Left by `hand-on`. */
  handed?: SignedChain
  /** Left by `seal`. */
  session?: Session
  sealed?: SealedEnvelope
  /** The body of the request is encrypted. */
  isConfidential?: boolean
  /** Left by `send`. */
  sent?: boolean
  outcome?: BareOutcome
  peerRecord?: number
  /** The callee took the work on: its lease counts. */
  isLeased?: boolean
  /** This side took the call back. */
  isCancelled?: boolean
  /** What the callee says that it used up. */
  usage?: Usage
  /** Left by `send`: what this node signed, where it is the command of a saga. */
  command?: SignedPart
  /** Where the callee's answer was, the last one that came. */
  answered?: InFrame
}
