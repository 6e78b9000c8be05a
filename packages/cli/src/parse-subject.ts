import { isInstanceDid, type OrderKind } from '@parley/identity'
import { isAgentName, MeshError } from '@parley/protocol'

const forms: Readonly<Record<OrderKind, string>> = {
  revoke: 'a name (owner/agent), the DID of an instance or issuer, or the id of a credential, link or join token',
  kill: 'a name (owner/agent) or the DID of an instance',
  quarantine: 'a name (owner/agent) or the DID of an instance',
  pin: 'a name (owner/agent)',
}

/** Holds what an order is about, and why, against what the order can say. Throws `cli.usage`. */
export function assertOrder(kind: OrderKind, subject: string, reason?: string): void {
  const isOther =
    kind === 'revoke' ? /^[\x21-\x2e\x30-\x7e]{1,128}$/.test(subject) : kind !== 'pin' && isInstanceDid(subject)
  if (!isAgentName(subject) && !isOther) throw new MeshError('cli.usage', `"${subject}" is not ${forms[kind]}`)
  if (reason !== undefined && !/^[^\p{Cc}]{1,256}$/u.test(reason))
    throw new MeshError('cli.usage', '--reason is not one line of 1 to 256 characters')
}
