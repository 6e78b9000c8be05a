import type { AgentId, Capability, InstanceDid, Usage } from '@parley/protocol'
import type { CallReceipt } from '../calling/call-receipt.ts'
import type { EvidenceOf } from '../session/evidence-of.ts'

/** What one side knows of a hop once it ended. */
export interface HopReport {
  /** The request's id, 128 bits in base64url; `parley why` takes it. */
  readonly id: string
  /** W3C trace id that all hops of one piece of work share. */
  readonly trace: string
  readonly capability: Capability
  /** Leaf hash of the request, base64url, once it was sealed. */
  readonly leaf?: string
  /** The agent that was asked, once one was chosen. */
  readonly peer?: AgentId & { readonly instance: InstanceDid }
  /** Whether the request left this process. A refusal with `sent: false` proves that nothing was done. */
  readonly sent: boolean
  /** The outbound stage that refused, where one did. */
  readonly refusedBy?: string
  /** The policy document and rule that allowed or denied on this side. */
  readonly decision?: { readonly document: string; readonly rule: string }
  /** Sequence number of this side's audit record. */
  readonly record?: number
  /** Sequence number of the callee's audit record, as its signed reply states it. */
  readonly peerRecord?: number
  /** What serving it used up, as the callee's signed reply states it. */
  readonly usage?: Usage
  /** Makes evidence of the callee's signed answer; absent where none came. */
  readonly evidence?: EvidenceOf
  /** What both sides signed, with their credentials; where the call was the command of a saga, and was answered. */
  readonly receipt?: CallReceipt
  /** Time from the call to its outcome, in milliseconds. */
  readonly durationMs: number
  /** Says in one line what decided, for instance `allowed by parley:credentials-only; signed; recorded twice`. */
  explain(): string
}
