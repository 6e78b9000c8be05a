import type { PresentedCredential } from '@parley/identity'
import type { EvidenceOf } from '../session/evidence-of.ts'

/** What one side signed of a call, and the credential that it held when it did. */
export interface SignedPart {
  readonly evidence: EvidenceOf
  readonly credential: PresentedCredential
}

/** What both sides signed of the command of a saga: proof for whoever was not there of who did what under whose authority. */
export interface CallReceipt {
  readonly command: SignedPart
  readonly answer: SignedPart
}
