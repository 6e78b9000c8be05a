import type { RecordFields } from './input-schema.ts'

/** Wraps a plain record so that CEL finds its declared fields, and nothing else, with CEL's types. */
export type RecordType = new (source: Readonly<Record<string, unknown>>) => object

/**
 * Creates the constructor of a record type. Fields are read through getters, so that a condition pays only for what it
 * reads; `int` fields become the BigInt that CEL calculates with (a number that is none throws, which denies).
 */
export function createRecordType(fields: RecordFields): RecordType {
  class PolicyRecord {
    readonly #source: Readonly<Record<string, unknown>>
    constructor(source: Readonly<Record<string, unknown>>) {
      this.#source = source
    }
    static read(record: PolicyRecord, name: string): unknown {
      return record.#source[name]
    }
  }
  for (const [name, type] of Object.entries(fields)) {
    Object.defineProperty(PolicyRecord.prototype, name, {
      get(this: PolicyRecord): unknown {
        const value = PolicyRecord.read(this, name)
        return type === 'int' ? BigInt(Math.trunc(Number(value))) : value
      },
    })
  }
  return PolicyRecord
}
