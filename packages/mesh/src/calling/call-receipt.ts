import type { PresentedCredential } from '@parley/identity'
import type { Evidence } from '@parley/protocol'

/** What one side signed of a call, and the credential that it held when it did. */
export interface SignedPart {
  /** Takes the evidence out of its frame. It is not encoded: a journal keeps its parts. */
  evidence(): Evidence
  readonly credential: PresentedCredential
}

/** What both sides signed of the command of a saga: proof for whoever was not there of who did what under whose authority. */
export interface CallReceipt {
  readonly command: SignedPart
  readonly answer: SignedPart
}
