import { broaderActions } from './cedar-hop.ts'

/** The schema of a hop, in Cedar's schema language: what `cedarHopOf` gives, but for `body`, which has no one shape. */
const shapes = `
entity Owner;
entity Agent in [Owner] {
  name: String, owner: Owner, instance: String, kind: String, assurance: Long, tier: String, score: Long,
  grants: Bool, grantsByName: Bool,
};
type Hop = {
  direction: String, phase: String, risk: String, peer: Agent, onBehalfOf: String,
  labels: Set<String>, obligations: Set<String>,
  delegation: { present: Bool, root: String, depth: Long },
  hop: { index: Long, path: Set<String> },
  saga: { present: Bool, id: String, step: String, attempt: Long },
  objective: { known: Bool, target: decimal, budgetLeft: decimal, breaker: String },
  time: { nowMs: Long, hour: Long, weekday: Long },
};
`

/** The fields of agents. */
export const agentFields: ReadonlySet<string> = new Set(
  'name owner instance kind assurance tier score grants grantsByName'.split(' '),
)

/** The fields of the context, with those of the records among them. */
export const contextFields: ReadonlyMap<string, ReadonlySet<string> | undefined> = new Map([
  ...['direction', 'phase', 'risk', 'peer', 'onBehalfOf', 'labels', 'obligations', 'body'].map(
    (name) => [name, undefined] as const,
  ),
  ['delegation', new Set(['present', 'root', 'depth'])],
  ['hop', new Set(['index', 'path'])],
  ['saga', new Set(['present', 'id', 'step', 'attempt'])],
  ['objective', new Set(['known', 'target', 'budgetLeft', 'breaker'])],
  ['time', new Set(['nowMs', 'hour', 'weekday'])],
])

/** Writes the schema for the actions that policies name; a policy for all actions is checked as for one of no name. */
export function schemaFor(actions: Iterable<string>): string {
  const named = new Set(['any:any', ...actions])
  const groups = new Set([...named].flatMap((action) => [...broaderActions(action)]))
  for (const action of named) if (action.endsWith(':*')) groups.add(action)
  const applies = 'appliesTo { principal: [Agent], resource: [Agent], context: Hop };'
  const lines = [...new Set([...named, ...groups])].map((action) => {
    const parents = action.endsWith(':*') ? [] : broaderActions(action)
    const within = parents.length === 0 ? '' : ` in [${parents.map((parent) => `Action::${quote(parent)}`).join(', ')}]`
    // A group that nothing is in would make its policies impossible: `flights:*` is checked by one operation of it.
    const probe = action.endsWith(':*')
      ? `\naction ${quote(`${action.slice(0, -1)}any`)} in [Action::${quote(action)}] ${applies}`
      : ''
    return `action ${quote(action)}${within}${action.endsWith(':*') ? ';' : ` ${applies}`}${named.has(action.replace('*', 'any')) ? '' : probe}`
  })
  return `${shapes}${lines.join('\n')}\n`
}

function quote(text: string): string {
  return JSON.stringify(text)
}
