import { Environment } from '@marcbachmann/cel-js'
import { Failure } from './failure.ts'
import { inputSchema } from './input-schema.ts'
import { compilePattern } from './linear-pattern.ts'
import { createRecordType, type RecordType } from './record-type.ts'

const limits = { maxAstNodes: 1_000, maxDepth: 32, maxListElements: 1_000, maxMapEntries: 100, maxCallArguments: 4 }

const maxKeptPatterns = 1_000

const records = new Map<string, RecordType>()

/** The library's `matches` runs JavaScript's RegExp: this stands in its place, of the same length, so that positions stay. */
export const safeMatches = 'matchRe'

/** Parses and type-checks conditions against the input schema. */
export const environment: Environment = createEnvironment()

/** The record types by variable name: `caller`, `saga` and so on. */
export const recordTypes: ReadonlyMap<string, RecordType> = records

function createEnvironment(): Environment {
  const created = new Environment({ unlistedVariablesAreDyn: false, enableOptionalTypes: false, limits })
  const patterns = new Map<string, ReturnType<typeof compilePattern>>()
  created.registerFunction(`string.${safeMatches}(string): bool`, (text: string, source: string): boolean => {
    const known = patterns.get(source) ?? compilePattern(source)
    if (patterns.size < maxKeptPatterns) patterns.set(source, known)
    if (typeof known === 'string') throw new RangeError(known)
    const found = known.test(text)
    if (found instanceof Failure) throw new RangeError(found.problem)
    return found
  })
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
