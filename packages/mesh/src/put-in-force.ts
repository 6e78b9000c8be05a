import type { NodeParts } from './node-parts.ts'

/**
 * Makes every order that is known hold for what is already here: sessions of the revoked, and chains with revoked links,
 * are forgotten; what runs for a killed caller, or in a killed node, is aborted. In one step, without a wait.
 */
export function putInForce({
  orders,
  sessions,
  serving,
  directory,
  ownCredential,
  isProvisional,
}: Pick<NodeParts, 'orders' | 'sessions' | 'serving' | 'directory' | 'ownCredential' | 'isProvisional'>): void {
  for (const { credential } of directory.entries())
    if (orders.check(credential).kind === 'deny') directory.leave(credential.instance)
  const killed = new Set<string>()
  for (const session of sessions.list()) {
    if (orders.check(session.peer).kind === 'deny') {
      if (orders.isKilled(session.peer)) killed.add(session.id)
      sessions.remove(session.id)
      continue
    }
    for (const [hash, chain] of session.chains ?? [])
      if (orders.checkChain(chain).kind === 'deny') session.chains?.delete(hash)
    for (const [hash, { chain }] of session.handed ?? [])
      if (orders.checkChain(chain).kind === 'deny') session.handed?.delete(hash)
  }
  // A newcomer has no name yet that an order could be about.
  const isSelfKilled = !isProvisional() && orders.isKilled(ownCredential())
  for (const call of serving.values()) if (isSelfKilled || killed.has(call.session)) call.close()
}
