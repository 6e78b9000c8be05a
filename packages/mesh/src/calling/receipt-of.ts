import { createEvidence } from '@parley/protocol'
import type { OutboundHop } from '../pipeline/outbound-hop.ts'
import type { CallReceipt } from './call-receipt.ts'

/** Makes the receipt of a command that was answered; undefined where there is no answer, or it is no saga's. */
export function receiptOf({ parts, command, answered, session, peer }: OutboundHop): CallReceipt | undefined {
  const callee = session?.peer ?? peer?.credential
  const credential = callee && parts.credentials.presentedAs(callee)
  if (!command || !answered || !credential) return undefined
  const evidence: CallReceipt['answer']['evidence'] = () => createEvidence(parts.hash, answered.frame, answered.index)
  return { command, answer: { evidence, credential } }
}
