import { openFileIssuer } from '@parley/identity'
import { defineContract, type NodeIssuer } from '@parley/mesh'
import { createSystemClock, createSystemRandom } from '@parley/ports'
import { z } from 'zod'

/** What is asked until the caller is revoked. */
export const echo = defineContract('echo', {
  back: { input: z.object({ n: z.number() }), output: z.object({ n: z.number() }), risk: 'read' },
})

/** What the callee's process saw of one caller: milliseconds since the epoch, as both processes count them. */
export interface Seen {
  /** When its last request reached the handler. */
  readonly deliveredAtMs: number
  /** When the order against it was held; undefined before. */
  readonly heldAtMs?: number
  /** Requests that reached the handler after that. */
  readonly deliveredAfter: number
}

/** The moment, on the clock that processes of one machine share. */
export function momentMs(): number {
  return performance.timeOrigin + performance.now()
}

/** Opens the issuer of a folder so that it tells nothing of orders: they come over the bus alone. */
export async function openSilentIssuer(dir: string): Promise<NodeIssuer> {
  const issuer = await openFileIssuer({ dir, clock: createSystemClock(), random: createSystemRandom() })
  return { issue: (request) => issuer.issue(request), anchor: issuer.anchor }
}
