/** What the owner of a peer has ordered about it, so far as it is in force. */
export interface OwnerWord {
  readonly pin?: {
    /** 0 to 1000: it replaces what the evidence says, below every ceiling. */
    readonly score: number
    readonly reason: string
    readonly untilMs: number
  }
  /** Refused before the ledger is asked (`identity.quarantined`); here it explains. */
  readonly quarantine?: {
    readonly reason: string
    readonly untilMs: number
  }
}

/** Tells what the owner of a peer ordered about it; undefined if nothing is in force. Asked at every judgement. */
export type OrdersAbout = (peer: string, nowMs: number) => OwnerWord | undefined
