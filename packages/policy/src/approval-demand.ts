/** What a rule asks for before it lets a hop pass. */
export interface ApprovalDemand {
  /** Agent names that may approve; empty means any human whose credential grants to approve. */
  readonly approvers: readonly string[]
  /** How many different approvers have to grant it, 1 to 8; 2 is four eyes. */
  readonly requires: number
  /** How long the request waits, and a grant lives, in milliseconds. */
  readonly forMs: number
}

/** What a rule asks for that does not say it: one approver, within an hour. */
export const defaultApproval: Omit<ApprovalDemand, 'approvers'> = { requires: 1, forMs: 3_600_000 }
