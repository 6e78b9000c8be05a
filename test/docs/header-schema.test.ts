import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { envelopeTypes, knownHeaderFields, parseHeader } from '@parley/protocol'
import { readText } from '../architecture/source-tree.ts'

const schema = JSON.parse(readText('protocol/schemas/header.json')) as {
  readonly properties: Readonly<Record<string, object>>
}
const fits = new Ajv2020({ strictTypes: false }).compile(schema)

const hash = 'h'.repeat(43)
const whole = {
  type: 'request',
  id: 'i'.repeat(22),
  from: `did:key:z6Mk${'a'.repeat(44)}`,
  to: `did:key:z6Mk${'b'.repeat(44)}`,
  mesh: 'main',
  issuedAtMs: 1,
  expiresAtMs: 2,
  contentType: 'application/json',
  session: hash,
  counter: 1,
  capability: 'flights:reserve',
  contract: hash,
  remainingMs: 5000,
  chain: hash,
  links: ['link'],
  handed: hash,
  handedLinks: ['link', 'link'],
  approvals: ['answer'],
  traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
  onBehalfOf: 'tenant',
  labels: ['pii'],
  pathIndex: 3,
  bodyRef: { hash, bytes: 5, where: 'shelf/1' },
  usage: { calls: 1, tokens: 40, money: { amount: '0.25', currency: 'EUR' }, seconds: 2 },
  saga: { id: 's', step: 'a', attempt: 1, epoch: 1, key: 'k', phase: 'do', expiresAtMs: 3 },
  mailbox: 'ab'.repeat(32),
  part: 1,
  credit: 16,
  leaseMs: 1000,
  inReplyTo: hash,
  ended: 'ok',
  credential: 'c',
  statement: 's',
  nonce: 'n'.repeat(22),
  versions: [1],
  suites: [1],
  version: 1,
  suite: 1,
  keyShare: hash,
  sealed: true,
  crit: ['labels'],
}
const types = envelopeTypes

function isParsed(header: object): boolean {
  return parseHeader(new TextEncoder().encode(JSON.stringify(header))).kind === 'allow'
}

describe('protocol/schemas/header.json', () => {
  it('names the fields that parseHeader knows', () => {
    const names = [...knownHeaderFields].toSorted()
    expect(Object.keys(schema.properties).toSorted()).toEqual(names)
    expect(Object.keys(whole).toSorted()).toEqual(names)
  })

  it('takes a header with every field, as parseHeader does', () => {
    expect([fits(whole), isParsed(whole)]).toEqual([true, true])
  })

  it('needs the same fields for each type as parseHeader', () => {
    for (const type of types)
      for (const name of Object.keys(whole)) {
        const header = Object.fromEntries(Object.entries({ ...whole, type }).filter(([key]) => key !== name))
        const isCritMissing = name === 'labels'
        expect(isParsed(header), `${type} without ${name}`).toBe(fits(header) && !isCritMissing)
      }
  })

  it('agrees with parseHeader about any value of any field', () => {
    const values = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom<unknown>(...Object.values(whole), 0, -1, 1.5, 2 ** 53, '', 'flights:*', '*', [], {}, [''], null),
      fc.string({ maxLength: 200 }),
    )
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(whole)), values, (name, value) => {
        fc.pre(name !== 'crit')
        const text = JSON.stringify({ ...whole, [name]: value })
        const header = JSON.parse(text) as object
        fc.pre(JSON.stringify(header) === text && !text.includes('__proto__') && !/\\ud[89a-f]/.test(text))
        expect(isParsed(header), text).toBe(fits(header))
      }),
      { numRuns: 2_000 },
    )
  })
})
