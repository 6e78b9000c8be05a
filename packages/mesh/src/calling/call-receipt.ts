import type { PresentedCredential } from '@parley/identity'
import type { OutboundHop } from '../pipeline/outbound-hop.ts'
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

/** Makes the receipt of a command that was answered; undefined where there is no answer, or it is no saga's. */
export function receiptOf({ parts, command, evidence, session, peer }: OutboundHop): CallReceipt | undefined {
  const callee = session?.peer ?? peer?.credential
  const credential = callee && parts.credentials.presentedAs(callee)
  return command && evidence && credential ? { command, answer: { evidence, credential } } : undefined
}
