import { isCapabilityPattern } from '@parley/protocol'
import { agentFields, contextFields } from './cedar-schema.ts'

/** What one policy reads and names, and what of that the mesh does not have. */
export interface Inspection {
  /** The parts of the context that it reads; `*` if it takes the context as a whole. */
  readonly reads: ReadonlySet<string>
  readonly actions: ReadonlySet<string>
  /** Each with the word that it is about. */
  readonly problems: readonly { readonly word: string; readonly problem: string }[]
}

const entityTypes: readonly string[] = ['Agent', 'Owner', 'Action']

/**
 * Looks through the JSON form of a policy (Cedar's "JSON policy format") for names: entities, actions, fields. Cedar's own
 * validator says the same and more, but not of policies that read `body`, which has no one type.
 */
export function inspectPolicy(json: unknown): Inspection {
  const reads = new Set<string>()
  const actions = new Set<string>()
  const problems: { word: string; problem: string }[] = []
  const checkEntity = (type: unknown, id: unknown): void => {
    if (type === 'Action' && typeof id === 'string') {
      actions.add(id)
      if (!isCapabilityPattern(id))
        problems.push({ word: id, problem: `'${id}' is neither a capability nor service:*` })
    } else checkType(type)
  }
  const checkType = (type: unknown): void => {
    if (typeof type !== 'string' || entityTypes.includes(type)) return
    problems.push({ word: type, problem: `the entity type ${type} is unknown: there are ${entityTypes.join(', ')}` })
  }
  const checkField = (left: unknown, field: string): void => {
    const subject = subjectOf(left)
    if (subject === 'context') reads.add(field)
    const fields = subject === 'context' ? new Set(contextFields.keys()) : subject
    if (fields === undefined || fields.has(field)) return
    problems.push({ word: field, problem: `the field ${field} is unknown: there are ${[...fields].join(', ')}` })
  }
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) for (const item of node) visit(item)
    if (!isRecord(node)) return
    for (const [key, value] of Object.entries(node)) {
      if (key === 'Var' && value === 'context') reads.add('*')
      else if (key === '.' && isRecord(value)) visitField(value, [value['attr']])
      else if (key === 'has' && isRecord(value)) visitField(value, [value['attr']].flat(1).slice(0, 1))
      else if (key === 'is' && isRecord(value)) {
        checkType(value['entity_type'])
        visit(value)
      } else if (key === '__entity' && isRecord(value)) checkEntity(value['type'], value['id'])
      else visit(value)
    }
  }
  const visitField = (access: Readonly<Record<string, unknown>>, fields: readonly unknown[]): void => {
    const { left } = access
    for (const field of fields) if (typeof field === 'string') checkField(left, field)
    // The context itself stands here only to be asked for the field.
    if (subjectOf(left) !== 'context') visit(left)
  }
  const visitScope = (scope: unknown): void => {
    if (!isRecord(scope)) return
    checkType(scope['entity_type'])
    const { entity, entities, in: within } = scope
    for (const named of [entity, ...(Array.isArray(entities) ? (entities as readonly unknown[]) : [])]) {
      if (isRecord(named)) checkEntity(named['type'], named['id'])
    }
    visitScope(within)
  }
  if (isRecord(json)) {
    for (const part of ['principal', 'action', 'resource']) visitScope(json[part])
    visit(json['conditions'])
  }
  return { reads, actions, problems }
}

/** Says what an expression gives, as far as its fields are known. */
function subjectOf(node: unknown): 'context' | ReadonlySet<string> | undefined {
  if (!isRecord(node)) return undefined
  if (node['Var'] === 'context') return 'context'
  if (node['Var'] === 'principal' || node['Var'] === 'resource') return agentFields
  const access = node['.']
  if (!isRecord(access) || subjectOf(access['left']) !== 'context') return undefined
  const { attr } = access
  return attr === 'peer' ? agentFields : contextFields.get(String(attr))
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
