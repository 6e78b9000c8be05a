import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { systemHash } from '@parley/ports'
import {
  brokerPermissions,
  decodeFrame,
  encodeFrame,
  envelopeTypes,
  errorCodes,
  formatInboxSubject,
  frameSignedBytes,
  hashEnvelopes,
  knownHeaderFields,
  limits,
  signingDomains,
  type InstanceDid,
} from '@parley/protocol'
import { readText } from '../architecture/source-tree.ts'

const spec = readText('protocol/spec/iatp.md')

function section(number: number): string {
  const [, text = ''] = spec.split(`\n## ${String(number)}. `)
  return text.split('\n## ')[0] ?? ''
}

/** Lists what stands in backquotes in the first column of a section's tables. */
function firstColumn(number: number): readonly string[] {
  return [...section(number).matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  )
}

function sha256(...parts: readonly (Uint8Array | string)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

describe('protocol/spec/iatp.md', () => {
  it('lists the header fields that are understood', () => {
    expect(firstColumn(4).toSorted()).toEqual([...knownHeaderFields].toSorted())
  })

  it('states the permissions of a broker as they are', () => {
    const told = [...section(6).matchAll(/^\| (\w+) \| (publish|subscribe) \| `([^`]+)` \| ([^|]+) \|$/gm)].map(
      ([, role, verb, subject, why]) => ({ role, verb, subject, why }),
    )
    expect(told).toEqual(brokerPermissions)
  })

  it('lists the types of envelopes', () => {
    expect(firstColumn(5).toSorted()).toEqual(envelopeTypes.toSorted())
  })

  it('states the checks of a request in their order, and so does ARCHITECTURE.md', () => {
    const code = readText('packages/mesh/src/pipeline/inbound.ts')
    const stages = ['frame', 'envelope', 'request'].flatMap((list) => {
      const [, names = ''] = new RegExp(`\\b${list}: \\[([^\\]]*)\\]`).exec(code) ?? []
      return [...names.matchAll(/\w+/g)].map(([name]) => name)
    })
    const words: Readonly<Record<string, string>> = { senderLimits: 'sender limits', argumentsInBounds: 'arguments' }
    const order = [...stages.map((name) => words[name] ?? name), 'record'].join(' → ')
    for (const text of [section(12), readText('ARCHITECTURE.md')]) expect(text.replaceAll(/\s+/g, ' ')).toContain(order)
  })

  it('names only codes that exist', () => {
    const families = new Set(Object.keys(errorCodes).map((code) => code.split('.')[0]))
    const named = [...spec.matchAll(/`([a-z]+\.[a-z0-9]+(?:-[a-z0-9]+)+|[a-z]+\.[a-z]+)`/g)].map(
      ([, code = '']) => code,
    )
    const wrong = named.filter((code) => families.has(code.split('.')[0]) && !Object.hasOwn(errorCodes, code))
    expect(named.length).toBeGreaterThan(20)
    expect(wrong).toEqual([])
  })

  it('states the limits as they are', () => {
    const told = Object.fromEntries(
      [...section(10).matchAll(/^\| ([^|]+) \| ([^|]+) \|$/gm)].map(([, what, limit]) => [what, limit]),
    )
    expect(told).toMatchObject({
      'header without credential, statement and links': `${String(limits.headerBytes / 1024)} KiB`,
      'depth of the header': String(limits.headerDepth),
      'credential, statement': `${String(limits.credentialBytes / 1024)} KiB each`,
      'links of a chain': `${String(limits.chainLinks)}, together ${String(limits.chainBytes / 1024)} KiB`,
      'envelopes in a frame': String(limits.frameEnvelopes),
      'bundle (more than one envelope)': `${String(limits.bundleBytes / 1024)} KiB`,
      'lifetime of an envelope': `${String(limits.lifetimeMs / 60_000)} min`,
      'difference of clocks': `${String(limits.skewMs / 1000)} s`,
      'counters remembered, per session and direction': limits.replayWindow.toLocaleString('en-US'),
      'parts of a stream on their way': String(limits.streamParts),
      'lease of work that was taken on': `${String(limits.leaseMs / 60_000)} min`,
      'ids of events remembered, per sender': limits.eventIds.toLocaleString('en-US'),
    })
    expect(told['body']).toContain(`${String(limits.bodyBytes / 1024)} KiB`)
    expect(told['signatures that one sender may have checked']).toContain(
      limits.signaturesPerSecond.toLocaleString('en-US'),
    )
  })

  it('names the signing domains', () => {
    for (const domain of Object.values(signingDomains)) expect(section(11)).toContain(`\`${domain}\``)
  })

  it('lays out a frame byte by byte as the codec does (§2, §3)', () => {
    const envelopes = ['{"a":1}', '{"b":2}', '{"c":3}'].map((header, at) => ({
      header: Buffer.from(header),
      body: Buffer.from(`body ${String(at)}`),
      salt: Buffer.alloc(16, at + 1),
    }))
    const u32 = (value: number): Buffer =>
      Buffer.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255)
    const signature = Buffer.alloc(64, 9)
    const written = Buffer.concat([
      Buffer.from('IATP'),
      Buffer.of(1, 1, 3),
      signature,
      ...envelopes.flatMap(({ header, body, salt }) => [u32(header.length), u32(body.length), salt, header, body]),
    ])
    const [first, second, third] = envelopes.map(({ header, body, salt }) =>
      sha256(Buffer.of(0), 'iatp/1/frame', u32(header.length), header, sha256(salt, body)),
    )
    const root = sha256(Buffer.of(1), sha256(Buffer.of(1), first ?? '', second ?? ''), third ?? '')
    expect(Buffer.from(encodeFrame(1, signature, envelopes)).equals(written)).toBe(true)
    const signedBytes = frameSignedBytes(systemHash, 1, hashEnvelopes(systemHash, envelopes))
    expect(Buffer.from(signedBytes).equals(Buffer.concat([Buffer.of(1, 3), root]))).toBe(true)
    expect(decodeFrame(systemHash, written)).toMatchObject({ kind: 'allow', frame: { signedBytes } })
  })

  it('shows subjects as they are (§6.1)', () => {
    const did = (letter: string): InstanceDid => `did:key:z6Mk${letter.repeat(44)}`
    const subject = formatInboxSubject('main', did('b'), did('a'))
    expect(subject).toBe(`iatp.1.main.z6Mk${'b'.repeat(44)}.z6Mk${'a'.repeat(44)}`)
    expect(spec).toContain('`iatp.1.<mesh>.<to>.<from>`')
  })
})
