import { isCapability } from './capability.ts'
import { commandEndings, envelopeTypes, type EnvelopeHeader } from './envelope.ts'
import { limits } from './limits.ts'
import { allowed, refuse, type Refusal, type Verdict } from './refusal.ts'
import { isUsage } from './usage.ts'

type FieldCheck = (value: unknown) => boolean
type NamedChecks = readonly (readonly [name: string, check: FieldCheck])[]

const isText =
  (maxLength: number): FieldCheck =>
  (value) =>
    typeof value === 'string' && value.length > 0 && value.length <= maxLength
const matches =
  (pattern: RegExp): FieldCheck =>
  (value) =>
    typeof value === 'string' && pattern.test(value)
const isCount: FieldCheck = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const isNumber: FieldCheck = (value) => isCount(value) && (value as number) > 0
const isListOf =
  (check: FieldCheck, maxItems: number): FieldCheck =>
  (value) =>
    Array.isArray(value) && value.length <= maxItems && value.every(check)

const instance = matches(/^did:key:z6Mk[1-9A-HJ-NP-Za-km-z]{44}$/)
const hash = matches(/^[A-Za-z0-9_-]{43}$/)
const mailbox = matches(/^[0-9a-f]{64}$/)
const id = matches(/^[A-Za-z0-9_-]{22}$/)
const types: ReadonlySet<unknown> = new Set(envelopeTypes)
const endings: ReadonlySet<unknown> = new Set(commandEndings)
const phases: ReadonlySet<unknown> = new Set(['do', 'undo', 'lookup', 'close'])

const sagaFields = listChecks({
  id: isText(256),
  step: isText(256),
  attempt: isCount,
  epoch: isCount,
  key: isText(256),
  phase: (value) => phases.has(value),
  journal: (value) => value === undefined || hash(value),
  expiresAtMs: isCount,
})

const bodyRefFields = listChecks({
  hash,
  bytes: (value) => isCount(value) && (value as number) <= limits.referencedBytes,
  where: isText(512),
})

const requiredFields: Readonly<Record<string, FieldCheck>> = {
  type: (value) => types.has(value),
  id,
  from: instance,
  to: isText(128),
  mesh: matches(/^[a-z0-9_-]{1,64}$/),
  issuedAtMs: isCount,
  expiresAtMs: isCount,
}

const optionalFields: Readonly<Record<string, FieldCheck>> = {
  contentType: (value) => value === 'application/json',
  session: hash,
  counter: isNumber,
  capability: (value) => typeof value === 'string' && isCapability(value),
  contract: hash,
  remainingMs: isCount,
  chain: hash,
  links: isListOf(isText(limits.chainBytes), limits.chainLinks),
  handed: hash,
  handedLinks: isListOf(isText(limits.chainBytes), limits.chainLinks),
  approvals: isListOf(isText(limits.approvalBytes), limits.approvals),
  traceparent: matches(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/),
  onBehalfOf: isText(256),
  labels: (value) =>
    isListOf(isText(64), limits.labels)(value) && new Set(value as string[]).size === (value as string[]).length,
  pathIndex: (value) => isCount(value) && (value as number) < limits.pathHops,
  bodyRef: (value) => isRecord(value) && haveFields(value, bodyRefFields),
  usage: isUsage,
  saga: (value) => isRecord(value) && haveFields(value, sagaFields),
  mailbox,
  part: isNumber,
  credit: isNumber,
  leaseMs: (value) => isNumber(value) && (value as number) <= limits.leaseMs,
  inReplyTo: hash,
  ended: (value) => endings.has(value),
  credential: isText(limits.credentialBytes),
  statement: isText(limits.credentialBytes),
  nonce: id,
  versions: isListOf(isCount, 16),
  suites: isListOf(isCount, 16),
  version: isCount,
  suite: isCount,
  keyShare: hash,
  sealed: (value) => value === true,
  crit: isListOf(isText(64), 16),
}

const requiredChecks = listChecks(requiredFields)
const optionalChecks: ReadonlyMap<string, FieldCheck> = new Map(Object.entries(optionalFields))

/** Header fields that are understood here: what `crit` may name. */
export const knownHeaderFields: ReadonlySet<string> = new Set([
  ...Object.keys(requiredFields),
  ...Object.keys(optionalFields),
])

/**
 * Tells whether a header field may hold a value: a sender asks before it signs, since a header that does not hold is refused
 * without an answer. A field that is not understood may hold anything.
 */
export function isHeaderField(name: keyof EnvelopeHeader, value: unknown): boolean {
  const check = requiredFields[name] ?? optionalFields[name]
  return check === undefined || check(value)
}

const needed: Readonly<Partial<Record<EnvelopeHeader['type'], readonly (keyof EnvelopeHeader)[]>>> = {
  hello: ['nonce', 'credential', 'statement', 'versions', 'suites'],
  welcome: ['nonce', 'credential', 'statement', 'inReplyTo', 'versions', 'suites', 'version', 'suite'],
  ready: ['session', 'inReplyTo', 'version', 'suite'],
  request: ['session', 'counter', 'capability', 'contract', 'remainingMs', 'traceparent'],
  reply: ['session', 'counter', 'inReplyTo'],
  refusal: ['inReplyTo'],
  cancel: ['session', 'counter', 'inReplyTo'],
  part: ['session', 'counter', 'inReplyTo'],
  accepted: ['session', 'counter', 'inReplyTo', 'leaseMs'],
  progress: ['session', 'counter', 'inReplyTo', 'leaseMs'],
  completed: ['session', 'counter', 'inReplyTo'],
  closed: ['session', 'counter', 'inReplyTo'],
  outcome: ['capability', 'contract', 'traceparent', 'inReplyTo', 'credential', 'statement'],
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Reads header bytes. A header is valid only if it equals `JSON.stringify(JSON.parse(header))`, which refuses duplicate
 * keys, spaces and odd numbers; if it is plain (no lone surrogate, no key `__proto__`, no deep nesting); and if every
 * known field has its type. Refuses with `iatp.header-invalid`, `iatp.frame-oversize` or `iatp.crit-unknown`.
 */
export function parseHeader(bytes: Uint8Array): { readonly kind: 'allow'; readonly header: EnvelopeHeader } | Refusal {
  let text: string
  let value: unknown
  try {
    text = decoder.decode(bytes)
    value = JSON.parse(text)
  } catch {
    return refuse('iatp.header-invalid', 'the header is not JSON in UTF-8')
  }
  if (!isRecord(value)) return refuse('iatp.header-invalid', 'the header is not a JSON object')
  if (!isPlainText(text, value) && !isPlain(value, limits.headerDepth))
    return refuse('iatp.header-invalid', 'the header nests too deep, or holds a lone surrogate or a key __proto__')
  if (JSON.stringify(value) !== text) return refuse('iatp.header-invalid', 'the header is not in its canonical form')
  const fields = checkFields(value)
  if (fields.kind === 'deny') return fields
  const header = value as unknown as EnvelopeHeader
  if (linkBytes(header.links) > limits.chainBytes || linkBytes(header.handedLinks) > limits.chainBytes)
    return refuse('iatp.frame-oversize', `the chain has more than ${String(limits.chainBytes)} bytes`)
  if (linkBytes(header.approvals) > limits.approvalBytes)
    return refuse('iatp.frame-oversize', `the approvals have more than ${String(limits.approvalBytes)} bytes`)
  const carried =
    (header.credential?.length ?? 0) +
    (header.statement?.length ?? 0) +
    linkBytes(header.links) +
    linkBytes(header.handedLinks) +
    linkBytes(header.approvals)
  if (bytes.length - carried > limits.headerBytes)
    return refuse(
      'iatp.frame-oversize',
      `the header has ${String(bytes.length - carried)} bytes, ${String(limits.headerBytes)} are allowed`,
    )
  return { kind: 'allow', header }
}

function checkFields(value: Record<string, unknown>): Verdict {
  for (const [name, check] of requiredChecks)
    if (!check(value[name])) return refuse('iatp.header-invalid', `the header field ${name} is missing or wrong`)
  for (const name of Object.keys(value)) {
    const check = optionalChecks.get(name)
    if (check && !check(value[name])) return refuse('iatp.header-invalid', `the header field ${name} is wrong`)
  }
  const crit = (value['crit'] ?? []) as readonly string[]
  for (const name of crit)
    if (!knownHeaderFields.has(name) || !Object.hasOwn(value, name))
      return refuse(
        'iatp.crit-unknown',
        `the header requires ${JSON.stringify(name)}, which is not understood or not there`,
      )
  for (const name of needed[value['type'] as EnvelopeHeader['type']] ?? [])
    if (value[name] === undefined)
      return refuse('iatp.header-invalid', `a ${String(value['type'])} needs the header field ${name}`)
  if (value['sealed'] === true && (value['session'] === undefined || value['counter'] === undefined))
    return refuse('iatp.header-invalid', 'a sealed body needs a session and a counter')
  return allowed
}

/**
 * Tells at a glance that a header is plain, as nearly all are: without a backslash no text of it holds a lone surrogate
 * (UTF-8 has none), and it nests no deeper than lists and objects of texts.
 */
function isPlainText(text: string, value: Readonly<Record<string, unknown>>): boolean {
  if (text.includes('\\') || text.includes('__proto__')) return false
  for (const name in value) if (!isFlat(value[name])) return false
  return true
}

/** Tells whether a value is a scalar, or a list or object of scalars. */
export function isFlat(value: unknown): boolean {
  if (isScalar(value)) return true
  if (Array.isArray(value)) return value.every(isScalar)
  for (const key in value as object)
    if (key === '__proto__' || !isScalar((value as Readonly<Record<string, unknown>>)[key])) return false
  return true
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null
}

function listChecks(checks: Readonly<Record<string, FieldCheck>>): NamedChecks {
  return Object.entries(checks)
}

function haveFields(value: Readonly<Record<string, unknown>>, checks: NamedChecks): boolean {
  for (const [name, check] of checks) if (!check(value[name])) return false
  return true
}

/** Tells whether a value can be copied, printed and read again without becoming another one. Bounds its own depth. */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  if (depth === 0) return false
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth - 1))
  return Object.entries(value).every(
    ([key, inner]) => key !== '__proto__' && key.isWellFormed() && isPlain(inner, depth - 1),
  )
}

function linkBytes(links: readonly string[] = []): number {
  return links.reduce((total, link) => total + link.length, 0)
}
