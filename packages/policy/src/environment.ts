import { Environment } from '@marcbachmann/cel-js'
import { inputSchema } from './input-schema.ts'
import { createRecordType, type RecordType } from './record-type.ts'

const limits = { maxAstNodes: 1_000, maxDepth: 32, maxListElements: 1_000, maxMapEntries: 100, maxCallArguments: 4 }

const records = new Map<string, RecordType>()

/** Parses and type-checks conditions against the input schema. */
export const environment: Environment = createEnvironment()

/** The record types by variable name: `caller`, `saga` and so on. */
export const recordTypes: ReadonlyMap<string, RecordType> = records

function createEnvironment(): Environment {
  const created = new Environment({ unlistedVariablesAreDyn: false, enableOptionalTypes: false, limits })
  for (const [name, type] of Object.entries(inputSchema)) {
    if (typeof type === 'string') {
      created.registerVariable(name, type)
      continue
    }
    const ctor = createRecordType(type)
    records.set(name, ctor)
    created.registerType(`input.${name}`, { ctor, fields: type }).registerVariable(name, `input.${name}`)
  }
  return created
}
