import { hash } from 'node:crypto'
import type { PresentedCredential } from '@parley/identity'
import type { AgentName } from '@parley/protocol'

/** The tokens that show who an instance was: many receipts name the same, so each is kept once. */
export type Paper = PresentedCredential

/** Names a paper: base64url SHA-256 over its credential, a space, and its statement. No token holds a space. */
export function hashPaper({ credential, statement }: Paper): string {
  return hash('sha256', `${credential} ${statement}`, 'base64url')
}

/** The key under which a paper that sagas of an agent need is kept in its store. */
export function formatPaperKey(name: AgentName, paper: string): string {
  return `saga-papers/${name}/${paper}`
}
