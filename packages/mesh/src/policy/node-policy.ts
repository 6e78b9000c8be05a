import type { Verdict } from '@parley/protocol'
import type { ApprovalDesk } from '../approvals/approval-desk.ts'
import type { CallOptions } from '../calling/call-options.ts'
import type { ContractCapability } from '../contract/contract.ts'

/** What a node may call now, in the form that a model's list of tools takes. */
export interface Tool {
  /** The capability. */
  readonly name: string
  readonly risk: string
  /** JSON Schema 2020-12. */
  readonly inputSchema: Record<string, unknown>
  readonly outputSchema: Record<string, unknown>
  /** A person has to approve of each call. */
  readonly needsApproval: boolean
}

/** What a node tells of its own policy. */
export interface NodePolicy {
  /**
   * Says whether a call would be sent now: the same stages and the same rules, but nothing is sent, taken from a limit or
   * recorded. What the callee says is for the callee.
   */
  can(capability: ContractCapability, input: unknown, options?: CallOptions): Promise<Verdict>
  /**
   * Lists those of its `calls` that somebody serves and that no rule refuses whatever the arguments, with their schemas.
   */
  tools(): Promise<readonly Tool[]>
  /** What waits for people here, and their answers. Rejects with `mesh.not-started` before `start`. */
  readonly approvals: Pick<ApprovalDesk, 'list' | 'answer'>
}
