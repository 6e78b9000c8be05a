import type { AgentId, AgentName, Capability, InstanceDid, Refusal, Usage } from '@parley/protocol'
import type { ContractCapability } from '../contract/contract.ts'
import type { EvidenceOf } from '../session/evidence-of.ts'
import type { Outcome } from '../contract/outcome.ts'
import type { SagaCommand } from '../calling/saga-command.ts'

/** What was asked of whom: an outcome counts only if it is of exactly this. */
export interface AskedCommand<Output = unknown, Declared = Readonly<Record<string, unknown>>> {
  /** The capability that was called; what was done has to fit its contract. */
  readonly capability: ContractCapability<unknown, Output, Declared, Output>
  /** The agent that was asked. */
  readonly of: AgentName
  /** The instance that was asked, where only that one may answer. */
  readonly instance?: InstanceDid
  /** The leaf hash of the request, base64url, where it is known: `CallOptions.beforeSend` tells it. */
  readonly leaf?: string
  /** The command that the request carried. Without `leaf` there has to be one. */
  readonly saga?: Omit<SagaCommand, 'expiresAtMs' | 'journal'>
}

/** An outcome as a callee told it, without a hop of this node. */
export type ToldOutcome<Output = unknown, Declared = Readonly<Record<string, unknown>>> = Bare<
  Outcome<Output, Declared>
>

type Bare<Each> = Each extends unknown ? Omit<Each, 'hop'> : never

/**
 * An outcome that came to the mailbox of this node's name: signed by an instance whose credential lets it serve the
 * capability. Who sent the request, and whether anybody of this name did, is for `settle` to hold against what was asked.
 */
export interface MailedOutcome {
  /** Leaf hash of this envelope, base64url: the same for every copy and every instance that hears it. */
  readonly leaf: string
  /** Leaf hash of the request that it answers, base64url. */
  readonly inReplyTo: string
  readonly capability: Capability
  /** W3C trace id of the request. */
  readonly trace: string
  readonly saga?: SagaCommand
  /** Who signed it. */
  readonly responder: AgentId & { readonly instance: InstanceDid }
  /** The responder's wall time, in milliseconds since the Unix epoch. */
  readonly issuedAtMs: number
  /** What serving used up, as the responder says. */
  readonly usage?: Usage
  /** Makes evidence of this envelope, whose header carries the credential of its signer: proof for whoever was not there. */
  readonly evidence: EvidenceOf
  /**
   * Gives the outcome if it is of what was asked: same responder, capability, contract, leaf and command, with an output
   * that fits. Else refuses with `iatp.outcome-mismatch`. Recorded either way. Settling twice is for the caller to rule out:
   * a copy that is heard after a restart tells the same once more.
   */
  settle<Output, Declared>(
    asked: AskedCommand<Output, Declared>,
  ): Promise<{ readonly kind: 'allow'; readonly outcome: ToldOutcome<Output, Declared> } | Refusal>
}

/** Hears every outcome that comes to the mailbox. What it throws is logged; nobody is told. */
export type OutcomeListener = (mailed: MailedOutcome) => void | Promise<void>
