// Frames, bundles and evidence of IATP 1, written from protocol/spec/iatp.md alone (§2 to §6, §10, §14): it shares no code with
// the codec that it is held against.
import { createHash, verify } from 'node:crypto'

/** What a receiver says: `allow` with the leaves in order, or the code of the refusal. */
export interface SecondOpinion {
  readonly code: string
  readonly leaves: readonly Buffer[]
}

interface Parts {
  readonly header: Buffer
  readonly body: Buffer
  readonly salt: Buffer
}
type Json = Readonly<Record<string, unknown>>

const refuse = (code: string): never => {
  throw new RangeError(code)
}
const need = (holds: boolean, code: string): void => {
  if (!holds) refuse(code)
}
const sha256 = (...parts: readonly Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()
const frameDomain = Buffer.from('iatp/1/frame')
const u32 = (value: number): Buffer => Buffer.from(value.toString(16).padStart(8, '0'), 'hex')
const leafOf = (header: Buffer, commitment: Buffer): Buffer =>
  sha256(Buffer.of(0), frameDomain, u32(header.length), header, commitment)
const node = (left: Buffer, right: Buffer): Buffer => sha256(Buffer.of(1), left, right)
const maxHeader = (8 + 8 + 8 + 32) * 1024
const maxBody = 960 * 1024

function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 1) return leaves[0] ?? Buffer.alloc(0)
  const split = 2 ** Math.ceil(Math.log2(leaves.length) - 1)
  return node(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)))
}

function splitFrame(bytes: Buffer): readonly Parts[] {
  const malformed = 'iatp.frame-malformed'
  need(bytes.length >= 71 && bytes.toString('latin1', 0, 4) === 'IATP', malformed)
  need(bytes[4] === 1, 'iatp.version-unsupported')
  need(bytes[5] === 1, 'iatp.suite-unsupported')
  const count = bytes[6] ?? 0
  need(count >= 1 && count <= 64, malformed)
  need(count === 1 || bytes.length <= 256 * 1024, 'iatp.frame-oversize')
  let at = 71
  const envelopes = Array.from({ length: count }, () => {
    need(at + 24 <= bytes.length, malformed)
    const [h, b] = [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)]
    need(h <= maxHeader && b <= maxBody, 'iatp.frame-oversize')
    need(at + 24 + h + b <= bytes.length, malformed)
    const salt = bytes.subarray(at + 8, at + 24)
    const header = bytes.subarray(at + 24, at + 24 + h)
    const body = bytes.subarray(at + 24 + h, (at += 24 + h + b))
    return { salt, header, body }
  })
  need(at === bytes.length, malformed)
  return envelopes
}

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** The 32 bytes of a did:key (§1.2); undefined where the key may not enter. */
function keyOf(did: string): Buffer | undefined {
  if (!/^did:key:z6Mk[1-9A-HJ-NP-Za-km-z]{44}$/.test(did)) return undefined
  const value = Array.from(did.slice(9)).reduce((sum, char) => sum * 58n + BigInt(alphabet.indexOf(char)), 0n)
  const bytes = Buffer.from(value.toString(16).padStart(68, '0'), 'hex')
  const key = bytes.subarray(2)
  return bytes.length === 34 && isSafePoint(key) ? key : undefined
}

/** §1.2: y is below the prime, and not that of the points of order 1, 2, 4 or 8. */
function isSafePoint(point: Buffer): boolean {
  const y = BigInt(`0x${Buffer.from(point).reverse().toString('hex')}`) & (2n ** 255n - 1n)
  const prime = 2n ** 255n - 19n
  const eighth = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7n
  return y < prime && ![0n, 1n, prime - 1n, eighth, prime - eighth].includes(y)
}

function needSigned(did: string, count: number, root: Buffer, signature: Buffer): void {
  const key = keyOf(did)
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key ?? Buffer.alloc(32)])
  const input = Buffer.concat([frameDomain, Buffer.of(0, 1, count), root])
  const isSigned =
    key &&
    isSafePoint(signature.subarray(0, 32)) &&
    verify(null, input, { key: spki, format: 'der', type: 'spki' }, signature)
  need(isSigned === true, 'identity.signature-invalid')
}

const text = (most: number) => (value: unknown) => typeof value === 'string' && value.length > 0 && value.length <= most
const like = (pattern: RegExp) => (value: unknown) => typeof value === 'string' && pattern.test(value)
const count = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const upTo = (most: number) => (value: unknown) => count(value) && (value as number) <= most
const list = (check: (item: unknown) => boolean, most: number) => (value: unknown) =>
  Array.isArray(value) && value.length <= most && value.every(check)
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const shaped = (fields: Readonly<Record<string, (value: unknown) => boolean>>) => (value: unknown) =>
  isObject(value) && Object.entries(fields).every(([name, check]) => check(value[name]))
const maybe = (check: (value: unknown) => boolean) => (value: unknown) => value === undefined || check(value)
const [hash, id] = [like(/^[A-Za-z0-9_-]{43}$/), like(/^[A-Za-z0-9_-]{22}$/)]
const part = '[a-z0-9][a-z0-9_-]{0,62}'
const types =
  'hello welcome ready request reply accepted progress completed cancel part event closed refusal outcome'.split(' ')

/** §4.3: each field with its form. */
const fields: Readonly<Record<string, (value: unknown) => boolean>> = {
  type: (value) => types.includes(value as string),
  id,
  from: like(/^did:key:z6Mk[1-9A-HJ-NP-Za-km-z]{44}$/),
  to: text(128),
  mesh: like(/^[a-z0-9_-]{1,64}$/),
  issuedAtMs: count,
  expiresAtMs: count,
  session: hash,
  counter: (value) => count(value) && value !== 0,
  capability: like(new RegExp(`^${part}:${part}(:${part})?$`)),
  contract: hash,
  remainingMs: count,
  traceparent: like(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/),
  inReplyTo: hash,
  nonce: id,
  credential: text(8192),
  statement: text(8192),
  versions: list(count, 16),
  suites: list(count, 16),
  contentType: (value) => value === 'application/json',
  chain: hash,
  links: list(text(32_768), 5),
  handed: hash,
  handedLinks: list(text(32_768), 5),
  onBehalfOf: text(256),
  labels: (value) => list(text(64), 32)(value) && new Set(value as string[]).size === (value as string[]).length,
  pathIndex: upTo(31),
  bodyRef: shaped({ hash, bytes: upTo(268_435_456), where: text(512) }),
  usage: shaped({
    calls: maybe(count),
    tokens: maybe(count),
    seconds: maybe(count),
    money: maybe(shaped({ amount: like(/^(0|[1-9]\d{0,11})(\.\d{1,6})?$/), currency: like(/^[A-Z]{3}$/) })),
  }),
  saga: shaped({
    id: text(256),
    step: text(256),
    key: text(256),
    attempt: count,
    epoch: count,
    expiresAtMs: count,
    phase: (value) => ['do', 'undo', 'lookup'].includes(value as string),
  }),
  mailbox: like(/^[0-9a-f]{64}$/),
  crit: list(text(64), 16),
}
const inAll = ['type', 'id', 'from', 'to', 'mesh', 'issuedAtMs', 'expiresAtMs']
const neededBy: Readonly<Record<string, string>> = {
  hello: 'nonce credential statement versions suites',
  welcome: 'nonce credential statement versions suites inReplyTo',
  ready: 'session inReplyTo',
  request: 'session counter capability contract remainingMs traceparent',
  reply: 'session counter inReplyTo',
  cancel: 'session counter inReplyTo',
  refusal: 'inReplyTo',
  outcome: 'capability contract traceparent inReplyTo credential statement',
}

/** §4.2: plain all the way down, and not too deep. */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  const entries = Object.entries(value)
  return (
    depth > 0 && entries.every(([key, inner]) => key !== '__proto__' && key.isWellFormed() && isPlain(inner, depth - 1))
  )
}

function readHeader(bytes: Buffer): Json {
  const invalid = 'iatp.header-invalid'
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    return refuse(invalid)
  }
  if (!isObject(header) || !isPlain(header, 8) || !bytes.equals(Buffer.from(JSON.stringify(header))))
    return refuse(invalid)
  const names = [...inAll, ...Object.keys(header)]
  need(
    names.every((name) => !Object.hasOwn(fields, name) || fields[name]?.(header[name]) === true),
    invalid,
  )
  const crit = (header['crit'] ?? []) as readonly string[]
  need(
    crit.every((name) => Object.hasOwn(fields, name) && Object.hasOwn(header, name)),
    'iatp.crit-unknown',
  )
  const needed = (neededBy[header['type'] as string] ?? '').split(' ').filter((name) => name !== '')
  need(
    needed.every((name) => header[name] !== undefined),
    invalid,
  )
  const lengthOf = (texts: unknown): number =>
    ((texts ?? []) as readonly string[]).reduce((sum, each) => sum + each.length, 0)
  const chains = [header['links'], header['handedLinks']].map(lengthOf)
  const tokens = [header['credential'], header['statement']].map((token) => ((token ?? '') as string).length)
  const own = bytes.length - [...chains, ...tokens].reduce((sum, length) => sum + length, 0)
  need(Math.max(...chains) <= 32_768 && own <= 8192, 'iatp.frame-oversize')
  return header
}

function settle(decide: () => readonly Buffer[]): SecondOpinion {
  try {
    return { code: 'allow', leaves: decide() }
  } catch (error) {
    if (error instanceof RangeError) return { code: error.message, leaves: [] }
    throw error
  }
}

/** Judges a frame that comes to instance `self` under a subject at a time: §2, §3, §4, §6. */
export function judgeFrame(bytes: Buffer, subject: string, self: string, nowMs: number): SecondOpinion {
  return settle(() => {
    const envelopes = splitFrame(bytes)
    const leaves = envelopes.map(({ salt, header, body }) => leafOf(header, sha256(salt, body)))
    const tokens = subject.split('.')
    const from = `did:key:${tokens.at(-1) ?? ''}`
    // §4.5: what travels on a branch of its own, by the token that names the branch.
    const branch = { event: 'event', mailbox: 'outcome' }[tokens[3] ?? '']
    needSigned(from, leaves.length, rootOf(leaves), bytes.subarray(7, 71))
    for (const { header: headerBytes } of envelopes) {
      const header = readHeader(headerBytes)
      const to = branch ? tokens[4] : `did:key:${tokens[3] ?? ''}`
      const isRight = header['from'] === from && header['mesh'] === tokens[2] && header['to'] === to
      const isOwnBranch = ['event', 'outcome'].includes(header['type'] as string)
      const isPlaced = isOwnBranch ? header['type'] === branch : branch === undefined && to === self
      need(isRight && isPlaced, 'iatp.misaddressed')
      const [issued, expires] = [header['issuedAtMs'] as number, header['expiresAtMs'] as number]
      const isTimely =
        expires >= issued && expires - issued <= 300_000 && issued <= nowMs + 60_000 && expires >= nowMs - 60_000
      need(isTimely, 'iatp.lifetime')
    }
    return leaves
  })
}

/** Judges evidence: §14. */
export function judgeEvidence(bytes: Buffer): SecondOpinion {
  return settle(() => {
    const malformed = 'iatp.evidence-malformed'
    need(bytes.length >= 73 && bytes.toString('latin1', 0, 4) === 'IATE', malformed)
    need(bytes[4] === 1, 'iatp.version-unsupported')
    need(bytes[5] === 1, 'iatp.suite-unsupported')
    const [form = 9, n = 0, i = 0] = bytes.subarray(6, 9)
    need(form <= 1 && n >= 1 && n <= 64 && i < n, malformed)
    const sides: boolean[] = []
    for (let [f, l] = [i, n - 1]; l > 0; [f, l] = [f >> 1, l >> 1]) {
      const isRight = f % 2 === 1 || f === l
      sides.push(isRight)
      while (isRight && f % 2 === 0 && f !== 0) [f, l] = [f >> 1, l >> 1]
    }
    const headerAt = 73 + 32 * sides.length + 4
    need(bytes.length >= headerAt, malformed)
    const h = bytes.readUInt32BE(headerAt - 4)
    need(h <= maxHeader, 'iatp.frame-oversize')
    const rest = bytes.subarray(headerAt + h)
    need(bytes.length >= headerAt + h && (form === 1 ? rest.length >= 16 : rest.length === 32), malformed)
    need(form === 0 || rest.length - 16 <= maxBody, 'iatp.frame-oversize')
    const header = bytes.subarray(headerAt, headerAt + h)
    const from = readHeader(header)['from'] as string
    const leaf = leafOf(header, form === 1 ? sha256(rest) : rest)
    const root = sides.reduce<Buffer>((hashed, isRight, at) => {
      const sibling = bytes.subarray(73 + 32 * at, 73 + 32 * (at + 1))
      return isRight ? node(sibling, hashed) : node(hashed, sibling)
    }, leaf)
    needSigned(from, n, root, bytes.subarray(9, 73))
    return [leaf]
  })
}
