import { isInstanceDid, type OrderKind } from '@parley/identity'
import { isAgentName, MeshError } from '@parley/protocol'

const forms: Readonly<Record<OrderKind, string>> = {
  revoke: 'a name (owner/agent), the DID of an instance or issuer, or the id of a credential, link or join token',
  kill: 'a name (owner/agent) or the DID of an instance',
  quarantine: 'a name (owner/agent) or the DID of an instance',
  pin: 'a name (owner/agent)',
}

/** Holds what an order is about against what the order can say. Throws `cli.usage`. */
export function assertSubject(kind: OrderKind, subject: string): void {
  const isOther =
    kind === 'revoke' ? /^[\x21-\x2e\x30-\x7e]{1,128}$/.test(subject) : kind !== 'pin' && isInstanceDid(subject)
  if (!isAgentName(subject) && !isOther) throw new MeshError('cli.usage', `"${subject}" is not ${forms[kind]}`)
}
