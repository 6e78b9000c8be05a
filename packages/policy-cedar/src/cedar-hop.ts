import { hourOf, weekdayOf, type PolicyInput, type PolicyPeer } from '@parley/policy'
import { toCedarValue, toDecimal, type CedarValue } from './cedar-value.ts'

/** The name of one thing of the mesh, as Cedar writes it. */
export interface CedarName {
  readonly type: 'Agent' | 'Owner' | 'Action'
  readonly id: string
}

/** One thing of the mesh that policies may ask about. */
export interface CedarEntity {
  readonly uid: CedarName
  readonly attrs: Readonly<Record<string, CedarValue>>
  readonly parents: readonly CedarName[]
}

/** A hop as Cedar is asked about it. */
export interface CedarHop {
  readonly principal: CedarName
  readonly action: CedarName
  readonly resource: CedarName
  readonly context: Readonly<Record<string, CedarValue>>
  readonly entities: readonly CedarEntity[]
}

const tiers: readonly string[] = ['untrusted', 'probationary', 'standard', 'trusted', 'verified']

/**
 * Lays out a hop: the caller is the principal, the callee the resource, both agents in their owners; the capability is the
 * action, in the broader capabilities that would grant it. Handing a value over costs more than asking about it, so the
 * context has the fields of `reads` only, or all if it has `*`. Throws what reading the body throws.
 */
export function cedarHopOf(hop: PolicyInput, reads: ReadonlySet<string>): CedarHop {
  const { caller, callee } = hop
  const names = reads.has('*') ? [...contextValues.keys()] : [...reads].filter((name) => contextValues.has(name))
  return {
    principal: agentName(caller),
    resource: agentName(callee),
    action: actionName(hop.action),
    context: Object.fromEntries(names.map((name) => [name, contextValues.get(name)?.(hop) ?? ''])),
    entities: [...agentsOf(caller, callee), ...actionsOf(hop.action)],
  }
}

/** The fields of the context. `cedar-schema.ts` says the same as types. */
const contextValues: ReadonlyMap<string, (hop: PolicyInput) => CedarValue> = new Map<
  string,
  (hop: PolicyInput) => CedarValue
>([
  ['direction', ({ direction }) => direction],
  ['phase', ({ phase }) => phase],
  ['risk', ({ risk }) => risk],
  ['peer', ({ direction, caller, callee }) => ({ __entity: agentName(direction === 'inbound' ? caller : callee) })],
  ['onBehalfOf', ({ onBehalfOf }) => onBehalfOf],
  ['labels', ({ labels }) => labels],
  ['obligations', ({ obligations }) => obligations],
  ['delegation', ({ delegation: { present, root, depth } }) => ({ present, root, depth })],
  ['hop', ({ hop: { index, path } }) => ({ index, path })],
  ['saga', ({ saga: { present, id, step, attempt } }) => ({ present, id, step, attempt })],
  [
    'objective',
    (hop) => {
      const { known, target, budgetLeft, breaker } = hop.objective()
      return { known, target: toDecimal(target.toFixed(4)), budgetLeft: toDecimal(budgetLeft.toFixed(4)), breaker }
    },
  ],
  ['time', ({ time: { nowMs } }) => ({ nowMs, hour: hourOf(nowMs), weekday: weekdayOf(nowMs) })],
  ['body', (hop) => toCedarValue(hop.body())],
])

/** Names the actions that an action is in: what a credential could grant it by, broadest last. */
export function broaderActions(action: string): readonly string[] {
  const [service = '', operation = '', qualifier] = action.split(':')
  return qualifier === undefined ? [`${service}:*`] : [`${service}:${operation}`, `${service}:*`]
}

function actionsOf(action: string): readonly CedarEntity[] {
  const [, , qualifier] = action.split(':')
  if (action.endsWith(':*') || qualifier === undefined) return [entityOf(action)]
  const [operation = ''] = broaderActions(action)
  return [entityOf(action), entityOf(operation)]
}

function entityOf(action: string): CedarEntity {
  return { uid: actionName(action), attrs: {}, parents: broaderActions(action).map(actionName) }
}

/** Cedar knows an agent once. Where an agent calls itself, it is as little trusted and granted as either side of the hop. */
function agentsOf(caller: PolicyPeer, callee: PolicyPeer): readonly CedarEntity[] {
  if (caller.name !== callee.name) return [agentOf(caller), agentOf(callee)]
  return [
    agentOf({
      ...caller,
      kind: caller.kind === callee.kind ? caller.kind : 'agent',
      assurance: Math.min(caller.assurance, callee.assurance),
      tier: tiers.indexOf(caller.tier) < tiers.indexOf(callee.tier) ? caller.tier : callee.tier,
      score: Math.min(caller.score, callee.score),
      grants: caller.grants && callee.grants,
      grantsByName: caller.grantsByName && callee.grantsByName,
    }),
  ]
}

function agentOf(peer: PolicyPeer): CedarEntity {
  const owner = { type: 'Owner', id: peer.owner } as const
  const { name, instance, kind, assurance, tier, grants, grantsByName } = peer
  const score = Math.floor(peer.score)
  return {
    uid: agentName(peer),
    attrs: { name, owner: { __entity: owner }, instance, kind, assurance, tier, score, grants, grantsByName },
    parents: [owner],
  }
}

function agentName({ name }: PolicyPeer): CedarName {
  return { type: 'Agent', id: name }
}

function actionName(id: string): CedarName {
  return { type: 'Action', id }
}
