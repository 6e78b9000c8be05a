// The frame codec of IATP 1, written from protocol/spec/iatp.md alone (§1.2, §2 to §4, §6, §10): it shares no code with the one
// that it is held against. The form of header fields is protocol/schemas/header.json, which its caller compiles.
import { createHash, verify } from 'node:crypto'

/** What a receiver says: `allow` with the leaves in order, or the code of the refusal. */
export interface Opinion {
  readonly code: string
  readonly leaves: readonly Buffer[]
}
/** What a codec looks at in a header that fits the schema. */
export type Header = Readonly<Record<'type' | 'from' | 'to' | 'mesh', string>> &
  Readonly<Record<'issuedAtMs' | 'expiresAtMs', number>> &
  Readonly<Partial<Record<'crit' | 'links' | 'handedLinks' | 'approvals', readonly string[]>>> &
  Readonly<Partial<Record<'credential' | 'statement', string>>>
/** Whether a value fits the schema, and the names that are understood: its properties. */
export interface HeaderForm {
  readonly fits: (value: unknown) => value is Header
  readonly names: ReadonlySet<string>
}

export const [maxHeader, maxBody] = [56 * 1024, 960 * 1024]
const frameDomain = Buffer.from('iatp/1/frame')

export function need(holds: boolean, code: string): void {
  if (!holds) throw new RangeError(code)
}
export const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
  createHash('sha256').update(Buffer.concat(parts)).digest()
export const nodeOf = (left: Buffer, right: Buffer): Buffer => sha256(Buffer.of(1), left, right)
export function leafOf(header: Buffer, commitment: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(header.length)
  return sha256(Buffer.of(0), frameDomain, length, header, commitment)
}
function rootOf([first = Buffer.alloc(0), ...more]: readonly Buffer[]): Buffer {
  if (more.length === 0) return first
  const split = 2 ** Math.ceil(Math.log2(more.length + 1) - 1)
  return nodeOf(rootOf([first, ...more.slice(0, split - 1)]), rootOf(more.slice(split - 1)))
}

function splitFrame(bytes: Buffer): readonly { header: Buffer; salt: Buffer; body: Buffer }[] {
  const malformed = 'iatp.frame-malformed'
  need(bytes.length >= 71 && bytes.toString('latin1', 0, 4) === 'IATP', malformed)
  need(bytes[4] === 1, 'iatp.version-unsupported')
  need(bytes[5] === 1, 'iatp.suite-unsupported')
  const count = bytes[6] ?? 0
  need(count >= 1 && count <= 64, malformed)
  need(count === 1 || bytes.length <= 256 * 1024, 'iatp.frame-oversize')
  let end = 71
  const envelopes = Array.from({ length: count }, () => {
    const start = end + 24
    need(start <= bytes.length, malformed)
    const [h, b] = [bytes.readUInt32BE(end), bytes.readUInt32BE(end + 4)]
    need(h <= maxHeader && b <= maxBody, 'iatp.frame-oversize')
    end = start + h + b
    need(end <= bytes.length, malformed)
    const [salt, header] = [bytes.subarray(start - 16, start), bytes.subarray(start, start + h)]
    return { salt, header, body: bytes.subarray(start + h, end) }
  })
  need(end === bytes.length, malformed)
  return envelopes
}

/** §1.2: y is below the prime, and not that of a point whose order divides 8. */
function isSafePoint(point: Buffer): boolean {
  const y = BigInt(`0x${Buffer.from(point).reverse().toString('hex')}`) & (2n ** 255n - 1n)
  const prime = 2n ** 255n - 19n
  const eighth = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7n
  return y < prime && ![0n, 1n, prime - 1n, eighth, prime - eighth].includes(y)
}

/** §3.4 and §3.5, with the key of a did:key. */
export function needSigned(did: string, count: number, root: Buffer, signature: Buffer): void {
  const digits = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  const isDid = /^did:key:z6Mk[1-9A-HJ-NP-Za-km-z]{44}$/.test(did)
  const value = Array.from(did.slice(9)).reduce((sum, digit) => sum * 58n + BigInt(digits.indexOf(digit)), 0n)
  const key = isDid ? Buffer.from(value.toString(16).padStart(68, '0'), 'hex').subarray(2) : Buffer.alloc(32)
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key])
  const input = Buffer.concat([frameDomain, Buffer.of(0, 1, count), root])
  const isSafe = key.length === 32 && isSafePoint(key) && isSafePoint(signature.subarray(0, 32))
  const isSigned = isSafe && verify(null, input, { key: spki, format: 'der', type: 'spki' }, signature)
  need(isSigned, 'identity.signature-invalid')
}

/** §4.2: texts and keys are whole, no key is `__proto__`, and nothing is too deep. */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  const parts = Object.entries(value)
  return depth > 0 && parts.every(([key, part]) => key !== '__proto__' && isPlain(key, 1) && isPlain(part, depth - 1))
}

export function readHeader(bytes: Buffer, { fits, names }: HeaderForm): Header {
  const invalid = 'iatp.header-invalid'
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    throw new RangeError(invalid)
  }
  const isCanonical = bytes.equals(Buffer.from(JSON.stringify(header)))
  if (!isCanonical || !isPlain(header, 8) || !fits(header)) throw new RangeError(invalid)
  const { crit = [], links = [], handedLinks = [], approvals = [], credential = '', statement = '' } = header
  const isUnderstood = (name: string): boolean => names.has(name) && Object.hasOwn(header, name)
  need(crit.every(isUnderstood), 'iatp.crit-unknown')
  const carried = [links, handedLinks, approvals].map((texts) => texts.join('').length)
  const own = carried.reduce((left, length) => left - length, bytes.length - credential.length - statement.length)
  need(own <= 8192 && carried.every((length) => length <= 32_768), 'iatp.frame-oversize')
  return header
}

/** §6.1: mesh, branch (none for an inbox), recipient and sender. */
const subjectForm = /^iatp\.1\.([\w-]+)(?:\.(event|mailbox)|(?!\.(?:event|mailbox)\.))\.([\w-]+)\.([\w-]+)$/
const branches: Readonly<Record<string, string>> = { event: 'event', outcome: 'mailbox' }

/** Runs a judgement whose refusals are thrown by `need`. */
export function settle(decide: () => readonly Buffer[]): Opinion {
  try {
    return { code: 'allow', leaves: decide() }
  } catch (error) {
    if (error instanceof RangeError) return { code: error.message, leaves: [] }
    throw error
  }
}

/** Judges a frame that comes to the instance `self` under a subject at a time: §2, §3, then §4.5 and §4.6 of each envelope. */
export function judgeFrame(bytes: Buffer, form: HeaderForm, subject: string, self: string, nowMs: number): Opinion {
  return settle(() => {
    const [isSubject, mesh, branch, recipient = '', sender = ''] = subjectForm.exec(subject) ?? []
    need(isSubject !== undefined, 'iatp.misaddressed')
    const envelopes = splitFrame(bytes)
    const leaves = envelopes.map(({ salt, header, body }) => leafOf(header, sha256(salt, body)))
    const [from, to] = [`did:key:${sender}`, branch === undefined ? `did:key:${recipient}` : recipient]
    needSigned(from, leaves.length, rootOf(leaves), bytes.subarray(7, 71))
    for (const { header: text } of envelopes) {
      const header = readHeader(text, form)
      const isNamed = header.from === from && header.mesh === mesh && header.to === to
      const isPlaced = branches[header.type] === branch && (branch !== undefined || to === self)
      need(isNamed && isPlaced, 'iatp.misaddressed')
      const { issuedAtMs, expiresAtMs } = header
      const isTimely = issuedAtMs <= nowMs + 60_000 && expiresAtMs >= nowMs - 60_000
      need(isTimely && expiresAtMs >= issuedAtMs && expiresAtMs <= issuedAtMs + 300_000, 'iatp.lifetime')
    }
    return leaves
  })
}
