import { allowed, refuse, type Did, type Refusal, type Verdict } from '@parley/protocol'
import { chooseInstance } from '../../calling/choose-instance.ts'
import type { DirectoryEntry } from '../../discovery/directory.ts'
import type { OutboundHop } from '../outbound-hop.ts'
import { decideOrdersAgainst, isExemptFromQuarantine } from '../orders.ts'
import { left, type Stage } from '../stage.ts'

/** How long a call waits for an instance to appear that it could ask, in milliseconds. */
const patienceMs = 1_000

/**
 * Chooses the instance to ask: of the name that `to` gives, of the owners that `among` lists, else of the caller's own
 * owner. Nobody of another owner is ever asked who was not named in one of these ways.
 */
export const address: Stage<OutboundHop> = {
  name: 'address',
  run(hop) {
    const scope = scopeOf(hop)
    if (scope.kind === 'deny') return scope
    const find = (): DirectoryEntry | undefined => chooseIn(scope, hop)
    const found = find()
    if (found) return settleOn(hop, found)
    const own = decideOwnOrders(hop)
    return own.kind === 'deny' ? own : waitForProvider(hop, scope.who, find)
  },
}

/** Finds the instance that a call would be sent to now, and waits for nobody. */
export const lookUp: Stage<OutboundHop> = {
  name: 'address',
  run(hop) {
    const scope = scopeOf(hop)
    if (scope.kind === 'deny') return scope
    const found = chooseIn(scope, hop)
    if (!found) return refuseAlone(hop, scope.who)
    hop.peer = found
    return allowed
  },
}

function chooseIn(scope: Scope, { parts, contract: { capability } }: OutboundHop): DirectoryEntry | undefined {
  return chooseInstance(
    parts,
    capability,
    scope.entries().filter(({ serves }) => serves.has(capability)),
  )
}

function settleOn(hop: OutboundHop, found: DirectoryEntry): Verdict {
  hop.peer = found
  hop.leaveInstance = hop.parts.load.enter(found.credential.instance)
  return allowed
}

async function waitForProvider(
  hop: OutboundHop,
  who: string,
  find: () => DirectoryEntry | undefined,
): Promise<Verdict> {
  const { parts } = hop
  const untilMs = Math.min(left(hop.deadlineAtMs, 'the deadline'), hop.startedAtMs + patienceMs)
  let found: DirectoryEntry | undefined
  parts.presence.askWho()
  for (let leftMs = patienceMs; !found && leftMs > 0; found = find()) {
    leftMs = untilMs - parts.clock.monotonic()
    if (leftMs > 0) await parts.directory.changed(leftMs)
  }
  return found ? settleOn(hop, found) : refuseAlone(hop, who, { retryAfterMs: patienceMs })
}

/** Refuses a call that finds nobody. Nobody answers whom an order is against, so that is told first. */
function refuseAlone(hop: OutboundHop, who: string, more: { readonly retryAfterMs?: number } = {}): Verdict {
  const own = decideOwnOrders(hop)
  return own.kind === 'deny'
    ? own
    : refuse('mesh.no-provider', `no live instance of ${who} serves ${hop.contract.capability}`, more)
}

function decideOwnOrders({ parts, contract, options }: OutboundHop): Verdict {
  const isExempt = isExemptFromQuarantine(contract.capability, options.saga)
  return decideOrdersAgainst(parts, parts.ownCredential(), isExempt)
}

interface Scope {
  readonly kind: 'allow'
  /** Whom it means, for a reason. */
  readonly who: string
  entries(): readonly DirectoryEntry[]
}

/** Tells whom a call may be sent to; refuses an owner that this node does not know. */
function scopeOf({ parts, contract, options }: OutboundHop): Scope | Refusal {
  const { to, among } = options
  if (to !== undefined && among !== undefined)
    return refuse('mesh.no-provider', 'a call goes to an agent or among owners, not both')
  if (to !== undefined) {
    const agent = parts.resolve(to)
    if (!agent) return refuse('identity.owner-unknown', `no anchor of this node has the alias of ${to}`)
    return { kind: 'allow', who: to, entries: () => parts.directory.instancesOf(agent) }
  }
  const owners = new Set<Did>(among ? [] : [parts.ownCredential().owner])
  for (const alias of among ?? []) {
    const anchor = parts.anchors.list.find((each) => each.alias === alias)
    if (!anchor) return refuse('identity.owner-unknown', `no anchor of this node has the alias ${alias}`)
    owners.add(anchor.owner)
  }
  return {
    kind: 'allow',
    who: `an agent of ${among?.join(' or ') ?? parts.ownCredential().owner}`,
    entries: () =>
      parts.directory.servers(contract.capability).filter(({ credential }) => owners.has(credential.owner)),
  }
}
