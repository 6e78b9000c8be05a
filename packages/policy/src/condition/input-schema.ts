/** The CEL type of a field. `int` fields are JavaScript numbers in the input. */
export type FieldType = 'string' | 'int' | 'double' | 'bool' | 'list<string>' | 'dyn'

/** The fields of a record by name. */
export type RecordFields = Readonly<Record<string, FieldType>>

const peer: RecordFields = {
  name: 'string',
  owner: 'string',
  instance: 'string',
  kind: 'string',
  assurance: 'int',
  tier: 'string',
  score: 'int',
  grants: 'bool',
  grantsByName: 'bool',
  ring: 'int',
}

/** What a condition may read: a type for a plain variable, fields for a record. Anything else is refused when loaded. */
export const inputSchema: Readonly<Record<string, FieldType | RecordFields>> = {
  action: 'string',
  direction: 'string',
  phase: 'string',
  risk: 'string',
  caller: peer,
  callee: peer,
  peer,
  onBehalfOf: 'string',
  labels: 'list<string>',
  obligations: 'list<string>',
  delegation: { present: 'bool', root: 'string', depth: 'int', constraints: 'dyn', left: 'dyn' },
  hop: { index: 'int', path: 'list<string>' },
  saga: { present: 'bool', id: 'string', step: 'string', attempt: 'int' },
  objective: { known: 'bool', target: 'double', budgetLeft: 'double', breaker: 'string' },
  body: 'dyn',
  time: { nowMs: 'int', hour: 'int', weekday: 'int' },
}

/** The lowest and the highest value that a number of the input can have. */
export type NumberRange = readonly [lowest: number, highest: number]

const ofPeer = { assurance: [0, 3], score: [0, 1_000], ring: [0, 4] } as const

/** The numbers that have a range, by path: comparing them with what is outside of it can never hold, or always does. */
export const numberRanges: Readonly<Record<string, NumberRange>> = {
  ...Object.fromEntries(
    ['caller', 'callee', 'peer'].flatMap((side) =>
      Object.entries(ofPeer).map(([field, range]): [string, NumberRange] => [`${side}.${field}`, range]),
    ),
  ),
  'delegation.depth': [0, Infinity],
  'hop.index': [0, 31],
  'saga.attempt': [0, Infinity],
  'objective.target': [0, 1],
  'time.nowMs': [0, Infinity],
  'time.hour': [0, 23],
  'time.weekday': [0, 6],
}

/** The variables and fields that hold one of a few words: comparing them with any other word can never hold. */
export const closedSets: Readonly<Record<string, readonly string[]>> = {
  direction: ['inbound', 'outbound'],
  phase: ['do', 'undo', 'lookup', 'close'],
  risk: ['read', 'reversible', 'irreversible', 'administrative'],
  kind: ['agent', 'human'],
  breaker: ['closed', 'open', 'half-open'],
  tier: ['untrusted', 'probationary', 'standard', 'trusted', 'verified'],
}
