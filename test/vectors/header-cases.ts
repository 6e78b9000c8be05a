import { limits } from '@parley/protocol'
import {
  base64url,
  drawBytes,
  hex,
  inboxSubject,
  minimalHeader,
  nowMs,
  receiver,
  requestHeader,
  sender,
  signerOf,
} from './vector-kit.ts'

/** A header whose frame is signed well. */
export interface HeaderCase {
  readonly name: string
  /** An object as JSON.stringify writes it, or the exact text or bytes. */
  readonly header: object | string | Uint8Array
  readonly subject?: string
}

/** A header that is refused. */
export interface HeaderFault extends HeaderCase {
  readonly expect: string
  readonly stage: 'header' | 'addressed'
}

const base = minimalHeader('header')
const answer = base
const request = requestHeader('request')
const text = JSON.stringify(answer)
const hash = base64url(drawBytes('hash', 32))
const eventSubject = `iatp.1.main.event.card.${sender.did.slice(8)}`
const event = { ...base, type: 'event', to: 'card' }
const mailbox = hex(drawBytes('mailbox', 32))
const mailboxSubject = `iatp.1.main.mailbox.${mailbox}.${sender.did.slice(8)}`
const { capability, contract, traceparent } = request
const told = { credential: 'eyJ', statement: 'eyJ', inReplyTo: base['inReplyTo'] }
const outcome = { ...base, type: 'outcome', to: mailbox, capability, contract, traceparent, ...told }

/** For each type what it needs besides what all do, in a header that has it. */
const inSession = { session: hash, counter: 1 }
const offered = {
  nonce: base64url(drawBytes('nonce', 16)),
  credential: 'c',
  statement: 's',
  versions: [1],
  suites: [1],
}
const leased = { ...inSession, inReplyTo: hash, leaseMs: 1_000 }
const needs: Readonly<Record<string, object>> = {
  hello: offered,
  welcome: { ...offered, inReplyTo: hash, version: 1, suite: 1 },
  ready: { session: hash, inReplyTo: hash, version: 1, suite: 1 },
  request: Object.fromEntries(
    ['session', 'counter', 'capability', 'contract', 'remainingMs', 'traceparent'].map((name) => [name, request[name]]),
  ),
  reply: { ...inSession, inReplyTo: hash },
  accepted: leased,
  progress: leased,
  completed: { ...inSession, inReplyTo: hash },
  cancel: { ...inSession, inReplyTo: hash },
  part: { ...inSession, inReplyTo: hash },
  closed: { ...inSession, inReplyTo: hash },
  refusal: { inReplyTo: hash },
  outcome: { capability, contract, traceparent, ...told },
}
const { inReplyTo: _, ...common } = base

const without = (header: object, field: string): object =>
  Object.fromEntries(Object.entries(header).filter(([name]) => name !== field))

/** Puts text before the last brace. */
function adding(suffix: string): string {
  return `${text.slice(0, -1)},${suffix}}`
}

/** Headers that are taken. */
export const soundHeaders: readonly HeaderCase[] = [
  { name: 'an answer', header: answer },
  {
    name: 'a request with everything',
    header: {
      ...request,
      contentType: 'application/json',
      chain: hash,
      links: ['eyJ'],
      handed: hash,
      handedLinks: ['eyJ', 'eyJ'],
      approvals: ['eyJ', 'eyJ'],
      onBehalfOf: 'tenant-7',
      labels: ['pii', 'untrusted-content'],
      pathIndex: 31,
      bodyRef: { hash, bytes: 1_000_000, where: 'shelf/1' },
      saga: { id: 's', step: 'a', attempt: 1, epoch: 1, key: 'k', phase: 'do', expiresAtMs: nowMs },
      mailbox,
      crit: ['labels', 'saga'],
    },
  },
  {
    name: 'a reply with usage',
    header: {
      ...answer,
      type: 'reply',
      session: hash,
      counter: 9_007_199_254_740_991,
      usage: { calls: 1, tokens: 40, money: { amount: '0.25', currency: 'EUR' }, seconds: 2 },
    },
  },
  {
    name: 'a command that is bound to the journal of its saga',
    header: {
      ...request,
      saga: { id: 's', step: 'a', attempt: 1, epoch: 1, key: 'k', phase: 'do', journal: hash, expiresAtMs: nowMs },
    },
  },
  ...['ok', 'found-tombstone'].map((ended) => ({
    name: `a reply that says that the command ended ${ended}`,
    header: { ...answer, type: 'reply', session: hash, counter: 1, ended },
  })),
  ...Object.entries(without(needs, 'outcome')).map(([type, fields]: readonly [string, object]) => ({
    name: `a ${type} with what it needs`,
    header: { ...common, type, ...fields },
  })),
  { name: 'a sealed body', header: { ...answer, ...inSession, sealed: true } },
  { name: 'an event', header: event, subject: eventSubject },
  { name: 'an outcome in a mailbox', header: outcome, subject: mailboxSubject },
  { name: 'a field that nobody knows', header: { ...answer, later: { x: [1, null, 'é', '😀'] } } },
  { name: 'number keys in ascending order', header: adding('"x":{"1":0,"10":0,"a":0}') },
  { name: 'nesting to depth 8', header: adding('"x":[[[[[[[]]]]]]]') },
  { name: 'a lifetime of 5 minutes', header: { ...answer, expiresAtMs: nowMs + limits.lifetimeMs } },
  { name: 'issued 60 s ahead', header: { ...answer, issuedAtMs: nowMs + 60_000, expiresAtMs: nowMs + 60_000 } },
  { name: 'expired 60 s ago', header: { ...answer, issuedAtMs: nowMs - 90_000, expiresAtMs: nowMs - 60_000 } },
]

const invalid = (name: string, header: HeaderCase['header']): HeaderFault => ({
  name,
  header,
  expect: 'iatp.header-invalid',
  stage: 'header',
})

const forms: readonly HeaderFault[] = [
  invalid('no header', ''),
  invalid('no JSON', '{"type":'),
  invalid('a list', '[]'),
  invalid('null', 'null'),
  invalid('a space', text.replace(':', ': ')),
  invalid('a line feed at the end', `${text}\n`),
  invalid('a byte order mark', `\uFEFF${text}`),
  invalid('a duplicate key', adding('"type":"refusal"')),
  invalid('a number as 1e3', adding('"x":1e3')),
  invalid('a number as 1.0', adding('"x":1.0')),
  invalid('a number as -0', adding('"x":-0')),
  invalid('a number that no double holds', adding('"x":9007199254740993')),
  invalid('an escape that is not needed', adding('"x":"\\u0041"')),
  invalid('an escaped slash', adding('"x":"\\/"')),
  invalid('number keys in another order', adding('"x":{"10":0,"1":0}')),
  invalid('a lone surrogate', adding('"x":"\\ud800"')),
  invalid('a lone surrogate in a key', adding('"\\udc00":1')),
  invalid('a key __proto__', adding('"__proto__":{}')),
  invalid('a key __proto__ below', adding('"x":{"__proto__":1}')),
  invalid('nesting to depth 9', adding('"x":[[[[[[[[]]]]]]]]')),
  invalid(
    'no UTF-8',
    new Uint8Array(Buffer.concat([Buffer.from(text.slice(0, -2)), Buffer.of(0xff), Buffer.from('"}')])),
  ),
  invalid(
    'an overlong UTF-8 form',
    new Uint8Array(Buffer.concat([Buffer.from(text.slice(0, -2)), Buffer.of(0xc0, 0x80), Buffer.from('"}')])),
  ),
]

const wrongValues: Readonly<Record<string, readonly unknown[]>> = {
  type: ['greeting', 1],
  id: ['short', null],
  from: ['did:web:example.org'],
  to: ['', 'x'.repeat(129)],
  mesh: ['Main', ''],
  issuedAtMs: [-1, 1.5, '1'],
  expiresAtMs: ['soon'],
  counter: [0, '1'],
  session: ['x'],
  contentType: ['text/plain'],
  capability: ['flights', 'flights:*', '*', 'Flights:reserve'],
  contract: ['x'],
  remainingMs: [-1],
  traceparent: [`00-${'0'.repeat(32)}-${'2'.repeat(16)}-01`, `ff-${'1'.repeat(32)}-${'2'.repeat(16)}-01`],
  chain: [1],
  links: [['a', 'b', 'c', 'd', 'e', 'f'], 'eyJ'],
  handed: ['x'],
  handedLinks: [['a', 'b', 'c', 'd', 'e', 'f'], 'eyJ'],
  approvals: [Array.from({ length: 9 }, () => 'a'), 'eyJ', ['']],
  onBehalfOf: ['', 'x'.repeat(257)],
  labels: ['pii', [''], ['a', 'a'], Array.from({ length: 33 }, (_, at) => String(at))],
  pathIndex: [32, -1],
  bodyRef: [
    { hash, bytes: 1 },
    { hash, bytes: 268_435_457, where: 'x' },
    { hash: 'x', bytes: 1, where: 'x' },
  ],
  usage: [
    { calls: -1 },
    { seconds: 1.5 },
    { money: { amount: 1, currency: 'EUR' } },
    { money: { amount: '01', currency: 'EUR' } },
    { money: { amount: '0.0000001', currency: 'EUR' } },
    { money: { amount: '1', currency: 'EURO' } },
  ],
  ended: ['done', 'found-', true],
  saga: [
    null,
    { id: 's' },
    { id: 's', step: 'a', attempt: 1, epoch: 1, key: 'k', phase: 'do', journal: 'x', expiresAtMs: 1 },
    { id: 's', step: 'a', attempt: 1, epoch: 1, key: 'k', phase: 'redo', expiresAtMs: 1 },
  ],
  part: [0, 1.5],
  credit: [0],
  leaseMs: [0, 300_001],
  inReplyTo: ['x', null],
  mailbox: ['x', hash, 'A'.repeat(64)],
  nonce: [hash],
  credential: ['', 'x'.repeat(8_193)],
  statement: ['', 'x'.repeat(8_193)],
  versions: [['1'], Array.from({ length: 17 }, (_, at) => at)],
  suites: [[-1]],
  version: ['1'],
  suite: [-1],
  keyShare: ['x'],
  sealed: [false, 'true'],
  crit: ['labels', [''], ['x'.repeat(65)]],
}

const uncritical = (name: string, header: object): HeaderFault => ({
  name,
  header,
  expect: 'iatp.crit-unknown',
  stage: 'header',
})

const misaddressed = (name: string, header: object, subject?: string): HeaderFault => ({
  name,
  header,
  ...(subject === undefined ? {} : { subject }),
  expect: 'iatp.misaddressed',
  stage: 'addressed',
})

const untimely = (name: string, issuedAtMs: number, expiresAtMs: number): HeaderFault => ({
  name,
  header: { ...answer, issuedAtMs, expiresAtMs },
  expect: 'iatp.lifetime',
  stage: 'addressed',
})

/** Headers that are refused, each for one reason. */
export const headerFaults: readonly HeaderFault[] = [
  ...forms,
  ...['type', 'id', 'from', 'to', 'mesh', 'issuedAtMs', 'expiresAtMs'].map((field) =>
    invalid(`without ${field}`, without(answer, field)),
  ),
  ...Object.entries(wrongValues).flatMap(([field, values]) =>
    values.map((value, at) => invalid(`a wrong ${field} (${String(at + 1)})`, { ...answer, [field]: value })),
  ),
  ...Object.entries(needs).flatMap(([type, fields]) =>
    Object.keys(fields).map((field) =>
      invalid(`a ${type} without ${field}`, without({ ...common, type, ...fields }, field)),
    ),
  ),
  invalid('a sealed body without a counter', { ...answer, sealed: true, session: hash }),
  uncritical('an unknown name in crit', { ...answer, later: 1, crit: ['later'] }),
  uncritical('a name in crit that is not there', { ...answer, crit: ['labels'] }),
  {
    name: 'links above 32 KiB',
    header: { ...answer, links: ['x'.repeat(limits.chainBytes), 'x'] },
    expect: 'iatp.frame-oversize',
    stage: 'header',
  },
  {
    name: 'handed links above 32 KiB',
    header: { ...answer, handedLinks: ['x'.repeat(limits.chainBytes), 'x'] },
    expect: 'iatp.frame-oversize',
    stage: 'header',
  },
  {
    name: 'approvals above 32 KiB',
    header: { ...answer, approvals: ['x'.repeat(limits.approvalBytes), 'x'] },
    expect: 'iatp.frame-oversize',
    stage: 'header',
  },
  {
    name: 'a header above 8 KiB',
    header: { ...answer, later: 'x'.repeat(limits.headerBytes) },
    expect: 'iatp.frame-oversize',
    stage: 'header',
  },
  misaddressed('another sender in the header', { ...answer, from: signerOf('stranger').did }),
  misaddressed('another recipient in the header', { ...answer, to: signerOf('stranger').did }),
  misaddressed('another mesh in the header', { ...answer, mesh: 'other' }),
  misaddressed('an event on an inbox', { ...event, to: receiver.did }),
  misaddressed('an answer on an event', { ...answer, to: 'card' }, eventSubject),
  misaddressed('an outcome on an inbox', { ...outcome, to: receiver.did }),
  misaddressed('an outcome on an event', { ...outcome, to: 'card' }, eventSubject),
  misaddressed('an answer in a mailbox', { ...answer, to: mailbox }, mailboxSubject),
  misaddressed('another mailbox', { ...outcome, to: hex(drawBytes('other', 32)) }, mailboxSubject),
  misaddressed('another topic', { ...event, to: 'who' }, eventSubject),
  misaddressed(
    'the inbox of another',
    { ...answer, to: signerOf('stranger').did },
    inboxSubject.replace(receiver.did.slice(8), signerOf('stranger').did.slice(8)),
  ),
  untimely('a life of more than 5 minutes', nowMs, nowMs + limits.lifetimeMs + 1),
  untimely('an end before its start', nowMs, nowMs - 1),
  untimely('from the future', nowMs + 60_001, nowMs + 90_000),
  untimely('expired', nowMs - 90_000, nowMs - 60_001),
]
