import { systemHash } from '@parley/ports'
import {
  frameSignedBytes,
  hashEnvelopes,
  limits,
  signingDomains,
  suites,
  type UnsignedEnvelope,
} from '@parley/protocol'
import { headerFaults, soundHeaders } from './header-cases.ts'
import { signWithSmallCommitment } from './small-commitment.ts'
import {
  drawBytes,
  envelopeOf,
  frameOf,
  hex,
  inboxSubject,
  minimalHeader,
  nowMs,
  printVectors,
  receiver,
  seedOf,
  sender,
  signerOf,
} from './vector-kit.ts'

/** A frame as it comes, and what a receiver must say of it. */
export interface FrameVector {
  readonly name: string
  readonly subject: string
  /** The frame in hexadecimal, with so many zero bytes after it. */
  readonly bytes: string
  readonly zeros?: number
  /** `allow`, or the code of the refusal. */
  readonly expect: string
  /** The check that decides, of `frame`, `proof`, `header`, `addressed`; absent where it is allowed. */
  readonly stage?: string
  /** Leaf hashes in order; absent where the frame cannot be taken apart. */
  readonly leaves?: readonly string[]
}

const one = envelopeOf('one', minimalHeader('one'), '{"n":1}')
const two = envelopeOf('two', minimalHeader('two'), '{"n":2}')
const three = envelopeOf('three', minimalHeader('three'))

function leavesOf(envelopes: readonly UnsignedEnvelope[]): readonly string[] {
  return hashEnvelopes(systemHash, envelopes).map(hex)
}

/** Copies a frame with some bytes set. */
function patch(frame: Uint8Array, at: number, ...bytes: readonly number[]): Uint8Array {
  const copy = Uint8Array.from(frame)
  copy.set(bytes, at)
  return copy
}

async function soundFrames(): Promise<readonly FrameVector[]> {
  const bundles = [1, 2, 3, 7, 64].map((count) => ({
    name: `a bundle of ${String(count)}`,
    envelopes: Array.from({ length: count }, (_, at) =>
      envelopeOf(
        `bundle ${String(count)} ${String(at)}`,
        minimalHeader(`bundle ${String(count)} ${String(at)}`),
        `body ${String(at)}`,
      ),
    ),
  }))
  const headers = soundHeaders.map(({ name, header, subject }) => ({
    name,
    ...(subject === undefined ? {} : { subject }),
    envelopes: [envelopeOf(name, header, '{}')],
  }))
  return Promise.all(
    [...bundles, ...headers].map(async ({ envelopes, ...more }) => ({
      subject: inboxSubject,
      ...more,
      bytes: hex(await frameOf(envelopes)),
      expect: 'allow',
      leaves: leavesOf(envelopes),
    })),
  )
}

async function malformedFrames(): Promise<readonly FrameVector[]> {
  const good = await frameOf([one, two, three])
  const alone = await frameOf([one])
  const cases: readonly (readonly [name: string, bytes: Uint8Array, expect: string, zeros?: number])[] = [
    ['no bytes', new Uint8Array(), 'iatp.frame-malformed'],
    ['a prefix without its last byte', alone.subarray(0, 70), 'iatp.frame-malformed'],
    ['another magic', patch(good, 0, 0x69), 'iatp.frame-malformed'],
    ['another version', patch(good, 4, 2), 'iatp.version-unsupported'],
    ['another suite', patch(good, 5, 2), 'iatp.suite-unsupported'],
    ['no envelopes', patch(good.subarray(0, 71), 6, 0), 'iatp.frame-malformed'],
    ['65 envelopes', patch(good, 6, 65), 'iatp.frame-malformed'],
    ['one envelope fewer than it says', patch(alone, 6, 2), 'iatp.frame-malformed'],
    ['one envelope more than it says', patch(good, 6, 2), 'iatp.frame-malformed'],
    ['an end within the lengths', alone.subarray(0, 71 + 5), 'iatp.frame-malformed'],
    ['an end within the salt', alone.subarray(0, 71 + 20), 'iatp.frame-malformed'],
    ['an end within the header', alone.subarray(0, 71 + 24 + 9), 'iatp.frame-malformed'],
    ['an end within the body', alone.subarray(0, -1), 'iatp.frame-malformed'],
    ['a byte after the last envelope', alone, 'iatp.frame-malformed', 1],
    ['a header length above the limit', patch(alone, 71, 0, 1, 0, 0), 'iatp.frame-oversize'],
    ['a body length above the limit', patch(alone, 75, 0, 15, 0, 1), 'iatp.frame-oversize'],
    ['lengths of 4 GiB', patch(alone, 71, 255, 255, 255, 255, 255, 255, 255, 255), 'iatp.frame-oversize'],
    ['a bundle above 256 KiB', good, 'iatp.frame-oversize', limits.bundleBytes - good.length + 1],
  ]
  const subjects: readonly (readonly [name: string, subject: string])[] = [
    ['a subject of another version', inboxSubject.replace('iatp.1.', 'iatp.2.')],
    ['a subject of something else', inboxSubject.replace('iatp.', 'itap.')],
    ['a subject without its sender', inboxSubject.split('.').slice(0, 4).join('.')],
    ['a subject with a token more', `${inboxSubject}.x`],
    ['an event without its topic', inboxSubject.replace(/\.main\.[^.]+/, '.main.event')],
  ]
  return [
    ...cases.map(([name, bytes, expect, zeros]) => ({
      name,
      subject: inboxSubject,
      bytes: hex(bytes),
      ...(zeros === undefined ? {} : { zeros }),
      expect,
      stage: 'frame',
    })),
    ...subjects.map(([name, subject]) => ({
      name,
      subject,
      bytes: hex(alone),
      expect: 'iatp.misaddressed',
      stage: 'frame',
    })),
  ]
}

async function forgedFrames(): Promise<readonly FrameVector[]> {
  const good = await frameOf([one, two])
  const headerAt = 71 + 24
  const bodyAt = headerAt + one.header.length
  const signature = good.subarray(7, 71)
  const swapped = await frameOf([two, one])
  const input = Buffer.concat([
    Buffer.from(`${signingDomains.frame}\0`),
    frameSignedBytes(systemHash, suites.ed25519Sha256, hashEnvelopes(systemHash, [one, two])),
  ])
  const smallCommitment = signWithSmallCommitment(seedOf('sender'), sender.did, input)
  const forged = 'identity.signature-invalid'
  const [, , mesh, to] = inboxSubject.split('.')
  const smallOrder = 'z6MkeXATEjyXENzBXBxgC5EHk2JE5aqd7qMGGtDpLUH1e2Sj'
  const cases: readonly (readonly [name: string, bytes: Uint8Array, subject?: string])[] = [
    ['signed by another key', await frameOf([one, two], signerOf('stranger'))],
    [
      'the subject of another sender',
      good,
      `iatp.1.${String(mesh)}.${String(to)}.${signerOf('stranger').did.slice(8)}`,
    ],
    ['signed in another domain', await frameOf([one, two], sender, signingDomains.checkpoint)],
    ['a bit of the signature', patch(good, 40, (good[40] ?? 0) ^ 1)],
    ['a commitment R of small order, which fulfils the equation', patch(good, 7, ...smallCommitment)],
    ['an S above the group order', patch(good, 70, 0x10 | (good[70] ?? 0))],
    ['a bit of the salt', patch(good, 71 + 8, (good[79] ?? 0) ^ 1)],
    ['a bit of the header', patch(good, headerAt + 30, (good[headerAt + 30] ?? 0) ^ 1)],
    ['a bit of the body', patch(good, bodyAt + 1, (good[bodyAt + 1] ?? 0) ^ 1)],
    [
      'a byte moved from the header to the body',
      patch(patch(good, 71, ...u32(one.header.length - 1)), 75, ...u32(one.body.length + 1)),
    ],
    ['envelopes in another order', patch(swapped, 7, ...signature)],
    ['an envelope left out', patch(await frameOf([one]), 7, ...signature)],
    ['a bundle signed for one leaf', patch(good, 7, ...(await frameOf([one])).subarray(7, 71))],
    [
      'a key of small order',
      patch(await frameOf([one]), 7, 1, ...Buffer.alloc(63)),
      `iatp.1.main.${String(to)}.${smallOrder}`,
    ],
  ]
  return cases.map(([name, bytes, subject = inboxSubject]) => ({
    name,
    subject,
    bytes: hex(bytes),
    expect: forged,
    stage: 'proof',
  }))
}

async function badHeaders(): Promise<readonly FrameVector[]> {
  return Promise.all(
    headerFaults.map(async ({ name, header, subject = inboxSubject, expect, stage }) => {
      const envelope = envelopeOf(name, header, '{}')
      return { name, subject, bytes: hex(await frameOf([envelope])), expect, stage, leaves: leavesOf([envelope]) }
    }),
  )
}

function u32(value: number): readonly number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
}

/** Lists all frames. */
export async function createFrameVectors(): Promise<readonly FrameVector[]> {
  return [...(await soundFrames()), ...(await malformedFrames()), ...(await forgedFrames()), ...(await badHeaders())]
}

/** Writes frames.json. */
export async function renderFrameVectors(): Promise<string> {
  return printVectors(
    'Frames as they come to an inbox. Each is refused for one reason, or allowed. README.md says what the fields are.',
    {
      suite: suites.ed25519Sha256,
      nowMs,
      receiver: receiver.did,
      sender: sender.did,
      senderSeed: hex(seedOf('sender')),
      exampleSalt: hex(drawBytes('salt one', 16)),
    },
    { frames: await createFrameVectors() },
  )
}
