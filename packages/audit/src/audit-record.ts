import { MeshError } from '@parley/protocol'

/** What a field of a record may hold. Flat on purpose: a record is for reading, and never holds a body. */
export type AuditValue = string | number | boolean | null | readonly (string | number | boolean | null)[]

/** What a record is about. */
export type AuditKind = 'hop' | 'saga' | 'trust' | 'policy' | 'breaker' | 'lifecycle' | 'human' | 'gap' | (string & {})

/** What the caller of `append` gives. Fields that are undefined are left out. `seq`, `prev`, `atMs` are the log's own. */
export interface AuditFields {
  readonly kind: AuditKind
  readonly [field: string]: AuditValue | undefined
}

/** One entry of the log. Its exact JSON text is what is hashed, kept and exported: no field is outside. */
export interface AuditRecord {
  /** Position in the log: 1, 2, 3, ... */
  readonly seq: number
  /** Leaf hash of the record before, in base64url; for the first one, of 32 zero bytes. */
  readonly prev: string
  /** Wall time in milliseconds since the Unix epoch. It may jump; `seq` is the order. */
  readonly atMs: number
  readonly kind: AuditKind
  readonly [field: string]: AuditValue
}

/** The `prev` of the first record: 32 zero bytes in base64url. */
export const firstPrev: string = 'A'.repeat(43)

/** The largest record text, in UTF-16 units: a record holds names, hashes and codes. */
export const maxRecordChars: number = 16_384

const reserved: ReadonlySet<string> = new Set(['seq', 'prev', 'atMs'])
const fieldPattern = /^[a-z][A-Za-z0-9]{0,63}$/
const prevPattern = /^[A-Za-z0-9_-]{43}$/

/** Field names that passed: the same few come with every record. */
const knownNames = new Set<string>()
const maxKnownNames = 512

/**
 * Writes the record of given fields as its exact JSON text. Throws `audit.record-invalid` for a field name that is reserved
 * or not camelCase, a value that JSON cannot hold exactly, or a text above `maxRecordChars`. `tenant` stands last.
 */
export function formatAuditRecord(
  head: { readonly seq: number; readonly prev: string; readonly atMs: number },
  fields: AuditFields,
  tenant?: string,
): string {
  if (typeof fields.kind !== 'string' || fields.kind === '') {
    throw new MeshError('audit.record-invalid', 'an audit record needs a kind')
  }
  let first: string | undefined
  for (const name in fields) {
    first ??= name
    const value = fields[name]
    if (value === undefined) continue
    if (!knownNames.has(name)) assertFieldName(name)
    if (!isAuditValue(value)) {
      throw new MeshError('audit.record-invalid', `audit field ${name} is not a flat JSON value`)
    }
  }
  const hasTenant = tenant !== undefined
  const isInOrder = first === 'kind' && !(hasTenant && 'tenant' in fields)
  // The fields are written at once, `kind` first; then the log's own come before them and the tenant after.
  const written = JSON.stringify(
    isInOrder ? fields : { ...putKindFirst(fields), ...(hasTenant ? { tenant: undefined } : {}) },
  )
  const own = `{"seq":${head.seq},"prev":"${head.prev}","atMs":${head.atMs},`
  const text = hasTenant ? `${own}${written.slice(1, -1)},"tenant":${JSON.stringify(tenant)}}` : own + written.slice(1)
  if (text.length > maxRecordChars) {
    throw new MeshError(
      'audit.record-invalid',
      `an audit record of ${text.length} characters is above ${maxRecordChars}`,
    )
  }
  return text
}

function putKindFirst({ kind, ...rest }: AuditFields): AuditFields {
  return { kind, ...rest }
}

function assertFieldName(name: string): void {
  if (!fieldPattern.test(name) || reserved.has(name)) {
    throw new MeshError('audit.record-invalid', `audit field ${JSON.stringify(name)} is reserved or not camelCase`)
  }
  if (knownNames.size < maxKnownNames) knownNames.add(name)
}

/** Reads the text of a record; answers undefined unless it is exactly what `formatAuditRecord` writes. */
export function parseAuditRecord(text: string): AuditRecord | undefined {
  const parsed = parseJson(text)
  return isAuditRecord(parsed) && JSON.stringify(parsed) === text ? parsed : undefined
}

function isAuditRecord(value: unknown): value is AuditRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { seq, prev, atMs, kind } = value as Readonly<Record<string, unknown>>
  return (
    Number.isSafeInteger(seq) &&
    typeof prev === 'string' &&
    prevPattern.test(prev) &&
    typeof atMs === 'number' &&
    typeof kind === 'string' &&
    Object.values(value).every(isAuditValue)
  )
}

function isAuditValue(value: unknown): value is AuditValue {
  return isScalar(value) || (Array.isArray(value) && value.every(isScalar))
}

function isScalar(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  return value === null || typeof value === 'string' || typeof value === 'boolean'
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
