import type { OrderBook } from '@parley/identity'
import type { Clock, Random } from '@parley/ports'
import { formatAgentId } from '@parley/protocol'
import type { Reliability } from '@parley/reliability'
import type { DirectoryEntry } from '../discovery/directory.ts'
import type { InstanceLoad } from './instance-load.ts'
import type { SessionTable } from '../session/session.ts'

/** What the choice among instances looks at. */
export interface InstanceChoice {
  readonly random: Random
  readonly load: InstanceLoad
  readonly sessions: SessionTable
  readonly reliability: Reliability
  readonly orders: Pick<OrderBook, 'checkQuarantine'>
  readonly clock: Clock
}

/**
 * Chooses the instance to ask: power of two choices. Two are drawn, and the cheaper one is asked; equals are decided by an
 * open session, then by the order of the draw. Who did not answer lately, is in quarantine, or whose breaker is open, is
 * drawn only where there is nobody else. So load spreads without any word between callers, and no herd runs to the one that seems best.
 */
export function chooseInstance(
  { random, load, sessions, reliability, orders, clock }: InstanceChoice,
  capability: string,
  entries: readonly DirectoryEntry[],
): DirectoryEntry | undefined {
  if (entries.length < 2) return entries[0]
  const answering = preferWhere(entries, ({ suspected }) => suspected !== true)
  const nowMs = clock.now()
  const free = preferWhere(answering, ({ credential }) => orders.checkQuarantine(credential, nowMs).kind === 'allow')
  const passing = preferWhere(free, ({ credential }) =>
    reliability.wouldAdmit({ peer: formatAgentId(credential), capability }),
  )
  const first = passing[Math.floor(random.float() * passing.length)]
  if (!first || passing.length === 1) return first
  const others = passing.filter((entry) => entry !== first)
  const second = others[Math.floor(random.float() * others.length)] ?? first
  const costs = [first, second].map(({ credential }) => load.cost(credential.instance))
  const [cost = 0, otherCost = 0] = costs
  if (cost !== otherCost) return cost < otherCost ? first : second
  return sessions.opened(first.credential.instance) || !sessions.opened(second.credential.instance) ? first : second
}

function preferWhere(
  entries: readonly DirectoryEntry[],
  isPreferred: (entry: DirectoryEntry) => boolean,
): readonly DirectoryEntry[] {
  const preferred = entries.filter(isPreferred)
  return preferred.length > 0 ? preferred : entries
}
