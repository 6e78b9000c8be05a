import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EnvelopeHeader } from './envelope.ts'
import { limits } from './limits.ts'
import { knownHeaderFields, parseHeader } from './parse-header.ts'

const encoder = new TextEncoder()
const base64url = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_'
const base58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const hash = 'h'.repeat(43)
const id = 'i'.repeat(22)
const choice = { version: 1, suite: 1 }
const from = `did:key:z6Mk${'a'.repeat(44)}` as const

const minimal: EnvelopeHeader = {
  type: 'event',
  id,
  from,
  to: 'prices',
  mesh: 'acme',
  issuedAtMs: 1_767_225_600_000,
  expiresAtMs: 1_767_225_660_000,
}

const request: EnvelopeHeader = {
  ...minimal,
  type: 'request',
  session: hash,
  counter: 1,
  capability: 'flights:reserve',
  contract: hash,
  remainingMs: 5000,
  traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
}

function parseText(text: string): ReturnType<typeof parseHeader> {
  return parseHeader(encoder.encode(text))
}

function parseFields(fields: object): ReturnType<typeof parseHeader> {
  return parseText(JSON.stringify(fields))
}

/** Puts text before the last brace of a valid header. */
function parseWith(suffix: string): ReturnType<typeof parseHeader> {
  return parseText(`${JSON.stringify(minimal).slice(0, -1)},${suffix}}`)
}

function codeOf(result: ReturnType<typeof parseHeader>): string {
  return result.kind === 'deny' ? result.code : result.kind
}

describe('parseHeader', () => {
  it('reads a header with the required fields alone', () => {
    expect(parseFields(minimal)).toEqual({ kind: 'allow', header: minimal })
  })

  it('gives back what was written, whatever the fields hold', () => {
    const text = (alphabet: string, length: number): fc.Arbitrary<string> =>
      fc
        .array(fc.constantFrom(...alphabet.split('')), { minLength: length, maxLength: length })
        .map((letters) => letters.join(''))
    const header = fc.record(
      {
        type: fc.constant('event'),
        id: text(base64url, 22),
        from: text(base58, 44).map((tail) => `did:key:z6Mk${tail}`),
        to: fc.string({ minLength: 1, maxLength: 128, unit: 'binary' }),
        mesh: text('abcxyz019_-', 12),
        issuedAtMs: fc.maxSafeNat(),
        expiresAtMs: fc.maxSafeNat(),
        session: text(base64url, 43),
        counter: fc.integer({ min: 1 }),
        onBehalfOf: fc.string({ minLength: 1, maxLength: 64, unit: 'binary' }),
        labels: fc
          .array(
            fc
              .string({ minLength: 1, maxLength: 64, unit: 'grapheme-composite' })
              .filter((label) => label.length <= 64),
            { maxLength: 32 },
          )
          .map((labels) => [...new Set(labels)]),
        unknown: fc.jsonValue({ maxDepth: 4 }),
      },
      { requiredKeys: ['type', 'id', 'from', 'to', 'mesh', 'issuedAtMs', 'expiresAtMs'] },
    )
    fc.assert(
      fc.property(header, (fields) => {
        const sent = JSON.stringify(fields)
        fc.pre(!sent.includes('__proto__') && JSON.stringify(JSON.parse(sent)) === sent && sent.isWellFormed())
        fc.pre(!/\\ud[89a-f]/.test(sent))
        expect(parseText(sent)).toEqual({ kind: 'allow', header: JSON.parse(sent) })
      }),
    )
  })

  it('never throws and always answers with a code, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(codeOf(parseHeader(bytes))).toBe('iatp.header-invalid')
      }),
    )
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(codeOf(parseText(text))).toBe('iatp.header-invalid')
      }),
    )
  })

  it.each([
    ['no bytes', ''],
    ['a text', '"hello"'],
    ['a list', '[]'],
    ['null', 'null'],
    ['an unfinished object', '{"type":"event"'],
  ])('refuses %s', (_, text) => {
    expect(codeOf(parseText(text))).toBe('iatp.header-invalid')
  })

  it('refuses bytes that are not UTF-8, and a byte order mark', () => {
    const bytes = encoder.encode(JSON.stringify(minimal))
    const broken = bytes.slice()
    broken[10] = 0xff
    expect(codeOf(parseHeader(broken))).toBe('iatp.header-invalid')
    expect(codeOf(parseHeader(Uint8Array.of(0xef, 0xbb, 0xbf, ...bytes)))).toBe('iatp.header-invalid')
  })

  it.each([
    ['a duplicate key', '"to":"rates"'],
    ['a key that its escape hides', '"\\u0061bc":1'],
    ['a space', ' "x":1'],
    ['a line end', '"x":1\n'],
    ['a number with an exponent', '"x":1e3'],
    ['a number with a fraction of zero', '"x":1.0'],
    ['minus zero', '"x":-0'],
    ['a number beyond a double', '"x":12345678901234567890'],
    ['an escaped slash', '"x":"\\/"'],
    ['an escape in capitals', '"x":"\\u001F"'],
    ['a whole-number key out of its order', '"1":1'],
    ['a lone surrogate', '"x":"\\ud800"'],
    ['a lone surrogate in a key', '"\\udfff":1'],
    ['a key __proto__', '"__proto__":{"counter":1}'],
    ['a key __proto__ further in', '"x":[{"__proto__":null}]'],
  ])('refuses %s', (_, suffix) => {
    expect(codeOf(parseWith(suffix))).toBe('iatp.header-invalid')
  })

  it('accepts a surrogate pair, and a text that only looks like a surrogate', () => {
    expect(codeOf(parseWith('"x":"😀"'))).toBe('allow')
    expect(codeOf(parseWith('"x":"\\\\ud800"'))).toBe('allow')
    expect(codeOf(parseWith('"x":"__proto__"'))).toBe('allow')
  })

  it('refuses deep nesting without running out of stack', () => {
    const nested = (depth: number): string => `"x":${'['.repeat(depth)}${']'.repeat(depth)}`
    expect(codeOf(parseWith(nested(limits.headerDepth - 1)))).toBe('allow')
    expect(codeOf(parseWith(nested(limits.headerDepth)))).toBe('iatp.header-invalid')
    expect(codeOf(parseWith(nested(28_000)))).toBe('iatp.header-invalid')
    expect(codeOf(parseText('{"x":'.repeat(10_000) + '1' + '}'.repeat(10_000)))).toBe('iatp.header-invalid')
  })

  it.each(['type', 'id', 'from', 'to', 'mesh', 'issuedAtMs', 'expiresAtMs'])('refuses a header without %s', (name) => {
    const fields = Object.entries(minimal).filter(([key]) => key !== name)
    expect(codeOf(parseFields(Object.fromEntries(fields)))).toBe('iatp.header-invalid')
  })

  it.each([
    { type: 'constructor' },
    { id: 'short' },
    { from: 'did:web:example.org' },
    { from: `did:key:z6Mk${'0'.repeat(44)}` },
    { from: `${from}#key` },
    { to: '' },
    { to: 'x'.repeat(129) },
    { mesh: 'a.b' },
    { mesh: 'a\n' },
    { issuedAtMs: '1' },
    { expiresAtMs: -1 },
    { expiresAtMs: 1.5 },
    { counter: 0 },
    { counter: '1' },
    { session: 'x' },
    { contentType: 'text/plain' },
    { capability: '*' },
    { capability: 'flights:*' },
    { traceparent: `00-${'0'.repeat(32)}-${'2'.repeat(16)}-01` },
    { traceparent: `ff-${'1'.repeat(32)}-${'2'.repeat(16)}-01` },
    { labels: 'pii' },
    { labels: [''] },
    { labels: Array.from({ length: 33 }, () => 'x') },
    { labels: ['pii', 'pii'] },
    { pathIndex: -1 },
    { pathIndex: 32 },
    { bodyRef: { hash, bytes: 1 } },
    { bodyRef: { hash, bytes: limits.referencedBytes + 1, where: 'x' } },
    { bodyRef: { hash: 'short', bytes: 1, where: 'x' } },
    { bodyRef: { hash, bytes: 1, where: 'x'.repeat(513) } },
    { bodyRef: 'shelf/1' },
    { usage: [] },
    { usage: { calls: -1 } },
    { usage: { tokens: '40' } },
    { usage: { seconds: 1.5 } },
    { usage: { money: { amount: 1, currency: 'EUR' } } },
    { usage: { money: { amount: '01', currency: 'EUR' } } },
    { usage: { money: { amount: '-1', currency: 'EUR' } } },
    { usage: { money: { amount: '1e3', currency: 'EUR' } } },
    { usage: { money: { amount: '1.50', currency: 'eur' } } },
    { usage: { money: null } },
    { links: ['a', 'b', 'c', 'd', 'e', 'f'] },
    { links: [1] },
    { handed: 'short' },
    { handedLinks: ['a', 'b', 'c', 'd', 'e', 'f'] },
    { approvals: Array.from({ length: limits.approvals + 1 }, () => 'a') },
    { approvals: 'a' },
    { usage: { tokens: -1 } },
    { usage: { money: { amount: 0.5, currency: 'EUR' } } },
    { saga: null },
    { saga: [] },
    { saga: { id: 'a' } },
    { nonce: hash },
    { versions: ['1'] },
    { crit: 'labels' },
    { onBehalfOf: {} },
  ])('refuses the wrong value %j', (wrong) => {
    expect(codeOf(parseFields({ ...minimal, ...wrong }))).toBe('iatp.header-invalid')
  })

  it.each(['do', 'undo', 'lookup', 'close', 'redo'])('knows whether a saga command can %s', (phase) => {
    const saga = { id: 's', step: 'a', attempt: 1, epoch: 1, key: 'k', phase, expiresAtMs: 1 }
    expect(codeOf(parseFields({ ...minimal, saga }))).toBe(phase === 'redo' ? 'iatp.header-invalid' : 'allow')
  })

  it('ignores a field that it does not know, unless crit names it', () => {
    expect(codeOf(parseFields({ ...minimal, later: 1 }))).toBe('allow')
    expect(codeOf(parseFields({ ...minimal, later: 1, crit: ['later'] }))).toBe('iatp.crit-unknown')
  })

  it('refuses a crit that names a field which is not there, or of every object', () => {
    expect(codeOf(parseFields({ ...minimal, crit: ['labels'] }))).toBe('iatp.crit-unknown')
    expect(codeOf(parseFields({ ...minimal, crit: ['toString'] }))).toBe('iatp.crit-unknown')
    expect(codeOf(parseFields({ ...minimal, labels: ['pii'], crit: ['labels'] }))).toBe('allow')
  })

  it('knows every field that it checks, and none of every object', () => {
    expect(knownHeaderFields.has('capability')).toBe(true)
    expect(knownHeaderFields.has('constructor')).toBe(false)
  })

  it.each(['session', 'counter', 'capability', 'contract', 'remainingMs', 'traceparent'])(
    'refuses a request without %s',
    (name) => {
      expect(codeOf(parseFields(request))).toBe('allow')
      const fields = Object.entries(request).filter(([key]) => key !== name)
      expect(codeOf(parseFields(Object.fromEntries(fields)))).toBe('iatp.header-invalid')
    },
  )

  it.each([
    ['hello', { nonce: id, credential: 'c', statement: 's', versions: [1], suites: [1] }],
    ['welcome', { nonce: id, credential: 'c', statement: 's', versions: [1], suites: [1], inReplyTo: hash, ...choice }],
    ['ready', { session: hash, inReplyTo: hash, ...choice }],
    ['reply', { session: hash, counter: 1, inReplyTo: hash }],
    ['refusal', { inReplyTo: hash }],
    ['cancel', { session: hash, counter: 1, inReplyTo: hash }],
    [
      'outcome',
      {
        capability: 'flights:reserve',
        contract: hash,
        traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
        inReplyTo: hash,
        credential: 'c',
        statement: 's',
      },
    ],
  ])('refuses a %s that lacks one of its fields', (type, fields) => {
    const whole = { ...minimal, type, ...fields }
    expect(codeOf(parseFields(whole))).toBe('allow')
    for (const name of Object.keys(fields))
      expect(codeOf(parseFields(Object.fromEntries(Object.entries(whole).filter(([key]) => key !== name))))).toBe(
        'iatp.header-invalid',
      )
  })

  it('takes a sealed body only under a counter of a session', () => {
    expect(codeOf(parseFields({ ...minimal, sealed: true, session: hash, counter: 1 }))).toBe('allow')
    expect(codeOf(parseFields({ ...minimal, sealed: true, session: hash }))).toBe('iatp.header-invalid')
    expect(codeOf(parseFields({ ...minimal, sealed: true, counter: 1 }))).toBe('iatp.header-invalid')
    expect(codeOf(parseFields({ ...minimal, sealed: false, session: hash, counter: 1 }))).toBe('iatp.header-invalid')
  })

  it('measures the header apart from the credential and the chain that it carries', () => {
    const credential = 'c'.repeat(limits.credentialBytes)
    expect(codeOf(parseFields({ ...minimal, credential, statement: credential }))).toBe('allow')
    expect(codeOf(parseFields({ ...minimal, credential: `${credential}c` }))).toBe('iatp.header-invalid')
    expect(codeOf(parseFields({ ...minimal, later: 'x'.repeat(limits.headerBytes) }))).toBe('iatp.frame-oversize')
  })

  it('bounds the answers of people as a whole, and measures them apart', () => {
    const answer = 'a'.repeat(limits.approvalBytes / 4)
    expect(codeOf(parseFields({ ...minimal, approvals: [answer, answer, answer, answer] }))).toBe('allow')
    expect(codeOf(parseFields({ ...minimal, approvals: [answer, answer, answer, answer, 'a'] }))).toBe(
      'iatp.frame-oversize',
    )
  })

  it('bounds the chain as a whole', () => {
    const link = 'l'.repeat(limits.chainBytes / 4)
    expect(codeOf(parseFields({ ...minimal, links: [link, link, link, link] }))).toBe('allow')
    expect(codeOf(parseFields({ ...minimal, links: [link, link, link, link, 'l'] }))).toBe('iatp.frame-oversize')
    const handedLinks = [link, link, link, link]
    expect(codeOf(parseFields({ ...minimal, links: handedLinks, handedLinks }))).toBe('allow')
    expect(codeOf(parseFields({ ...minimal, handedLinks: [...handedLinks, 'l'] }))).toBe('iatp.frame-oversize')
  })
})
