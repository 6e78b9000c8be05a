import { systemHash } from '@parley/ports'
import { createEvidence, decodeFrame, encodeEvidence, type Frame } from '@parley/protocol'
import { envelopeOf, frameOf, hex, minimalHeader, printVectors, sender } from './vector-kit.ts'

/** Evidence, and what a verifier must say of it. */
export interface EvidenceVector {
  readonly name: string
  readonly bytes: string
  readonly expect: string
  /** Present where it is allowed. */
  readonly leaf?: string
  readonly root?: string
  readonly hasBody?: boolean
}

const sizes = [1, 2, 3, 7, 64]

async function bundle(count: number): Promise<Frame> {
  const envelopes = Array.from({ length: count }, (_, at) => {
    const name = `evidence ${String(count)} ${String(at)}`
    return envelopeOf(name, minimalHeader(name), `body ${String(at)}`)
  })
  const decoded = decodeFrame(systemHash, await frameOf(envelopes))
  if (decoded.kind === 'deny') throw new Error(decoded.reason)
  return decoded.frame
}

async function soundEvidence(count: number): Promise<readonly EvidenceVector[]> {
  const frame = await bundle(count)
  const all = frame.envelopes.map((_, at) => at)
  const indexes = count > 7 ? [0, 1, 31, 32, 62, 63] : all
  return indexes.flatMap((index) =>
    [true, false].map((withBody) => ({
      name: `${String(index)} of ${String(count)} ${withBody ? 'with' : 'without'} its body`,
      bytes: hex(encodeEvidence(createEvidence(systemHash, frame, index, { withBody }))),
      expect: 'allow',
      leaf: hex(frame.envelopes[index]?.leaf ?? new Uint8Array()),
      root: hex(frame.signedBytes.subarray(2)),
      hasBody: withBody,
    })),
  )
}

async function badEvidence(): Promise<readonly EvidenceVector[]> {
  const frame = await bundle(7)
  const [whole, bare] = [true, false].map((withBody) =>
    encodeEvidence(createEvidence(systemHash, frame, 4, { withBody })),
  )
  if (!whole || !bare) throw new Error('evidence of seven leaves')
  const pathAt = 73
  const headerAt = pathAt + 3 * 32
  const set = (at: number, byte: number, bytes = whole): Uint8Array => bytes.with(at, byte)
  const flip = (at: number, bytes = whole): Uint8Array => set(at, (bytes[at] ?? 0) ^ 1, bytes)
  const [first, second] = frame.envelopes.map(({ leaf }) => leaf)
  const malformed = 'iatp.evidence-malformed'
  const forged = 'identity.signature-invalid'
  const cases: readonly (readonly [name: string, bytes: Uint8Array, expect: string])[] = [
    ['no bytes', new Uint8Array(), malformed],
    ['another magic', set(3, 0x50), malformed],
    ['another version', set(4, 2), 'iatp.version-unsupported'],
    ['another suite', set(5, 2), 'iatp.suite-unsupported'],
    ['another form', set(6, 2), malformed],
    ['a count of 0', set(7, 0), malformed],
    ['a count of 65', set(7, 65), malformed],
    ['an index that is not below the count', set(8, 7), malformed],
    ['an end within the signature', whole.subarray(0, 72), malformed],
    ['an end within the path', whole.subarray(0, pathAt + 40), malformed],
    ['an end within the header', whole.subarray(0, headerAt + 20), malformed],
    ['an end within the commitment', bare.subarray(0, -1), malformed],
    ['a byte after the commitment', Buffer.concat([bare, Buffer.of(0)]), malformed],
    ['a header length above the limit', set(headerAt, 1), 'iatp.frame-oversize'],
    [
      'a path that is one hash too long',
      Buffer.concat([whole.subarray(0, headerAt), Buffer.alloc(32), whole.subarray(headerAt)]),
      'iatp.header-invalid',
    ],
    ['the index of its neighbour', set(8, 5), forged],
    ['another count of the same path length', set(7, 8), forged],
    ['a bit of the signature', flip(20), forged],
    ['a bit of the path', flip(pathAt + 5), forged],
    ['a bit of the body', flip(whole.length - 1), forged],
    ['a bit of the commitment', flip(bare.length - 1, bare), forged],
    ['a byte after the body', Buffer.concat([whole, Buffer.of(0)]), forged],
    ['the body of another envelope', Buffer.concat([whole.subarray(0, -6), Buffer.from('body 5')]), forged],
    ['a header that is not canonical', respace(whole, headerAt), 'iatp.header-invalid'],
    ['two leaves in place of header and commitment', disguise(frame, first, second), 'iatp.header-invalid'],
  ]
  return cases.map(([name, bytes, expect]) => ({ name, bytes: hex(bytes), expect }))
}

/** Puts a space into the header, whose length grows by one. */
function respace(whole: Uint8Array, headerAt: number): Uint8Array {
  const length = new DataView(whole.buffer, whole.byteOffset).getUint32(headerAt)
  const size = Buffer.alloc(4)
  size.writeUInt32BE(length + 1)
  const text = Buffer.from(whole.subarray(headerAt + 4))
  return Buffer.concat([whole.subarray(0, headerAt), size, text.subarray(0, 1), Buffer.from(' '), text.subarray(1)])
}

/** A node passed off as a leaf: two leaves stand where header and commitment do, in a tree that looks smaller. */
function disguise(frame: Frame, first: Uint8Array | undefined, second: Uint8Array | undefined): Uint8Array {
  if (!first || !second) throw new Error('two leaves')
  return Buffer.concat([
    Buffer.from('IATE'),
    Buffer.of(1, 1, 0, 1, 0),
    frame.signature,
    Buffer.of(0, 0, 0, 32),
    first,
    second,
  ])
}

/** Lists all evidence. */
export async function createEvidenceVectors(): Promise<readonly EvidenceVector[]> {
  return [...(await Promise.all(sizes.map(soundEvidence))).flat(), ...(await badEvidence())]
}

/** Writes evidence.json. */
export async function renderEvidenceVectors(): Promise<string> {
  return printVectors(
    'Evidence of bundles of 1, 2, 3, 7 and 64 leaves, and evidence that does not hold. README.md says what the fields are.',
    { sender: sender.did },
    { evidence: await createEvidenceVectors() },
  )
}
