import type { InstanceDid } from '@parley/protocol'
import type { NodeParts } from '../node/node-parts.ts'

/**
 * Makes every order that is known hold for what is already here: sessions of the revoked, and chains with revoked links,
 * are forgotten; calls that wait for a revoked callee end, since its answer may not be believed; what runs for a killed
 * caller, or in a killed node, is aborted. In one step, without a wait.
 */
export function putInForce({
  orders,
  sessions,
  serving,
  directory,
  pending,
  ownCredential,
  isProvisional,
}: Pick<
  NodeParts,
  'orders' | 'sessions' | 'serving' | 'directory' | 'pending' | 'ownCredential' | 'isProvisional'
>): void {
  const revoked = new Set<InstanceDid>()
  for (const { credential } of directory.entries())
    if (orders.check(credential).kind === 'deny') {
      revoked.add(credential.instance)
      directory.leave(credential.instance)
    }
  const killed = new Set<string>()
  for (const session of sessions.list()) {
    if (orders.check(session.peer).kind === 'deny') {
      revoked.add(session.peer.instance)
      if (orders.isKilled(session.peer)) killed.add(session.id)
      sessions.remove(session.id)
      continue
    }
    for (const [hash, chain] of session.chains ?? [])
      if (orders.checkChain(chain).kind === 'deny') session.chains?.delete(hash)
    for (const [hash, { chain }] of session.handed ?? [])
      if (orders.checkChain(chain).kind === 'deny') session.handed?.delete(hash)
  }
  if (revoked.size > 0) pending.revoke(revoked)
  // A newcomer has no name yet that an order could be about.
  const isSelfKilled = !isProvisional() && orders.isKilled(ownCredential())
  for (const call of serving.values()) if (isSelfKilled || killed.has(call.session)) call.close()
}
