import { createKeySigner, type KeySigner } from '@parley/identity'
import { systemHash } from '@parley/ports'
import {
  encodeFrame,
  formatInboxSubject,
  frameSignedBytes,
  hashEnvelopes,
  signingDomains,
  suites,
  type SigningDomain,
  type UnsignedEnvelope,
} from '@parley/protocol'

/** The moment of every vector. */
export const nowMs = 1_767_225_600_000

const encoder = new TextEncoder()

/** Draws bytes from a name, always the same. */
export function drawBytes(name: string, count: number): Uint8Array {
  return systemHash(encoder.encode(`parley vector ${name}`)).subarray(0, count)
}

/** The seed of a party's key: SHA-256 of `parley vector key <name>`. */
export function seedOf(name: string): Uint8Array {
  return drawBytes(`key ${name}`, 32)
}

/** The signer of a party. */
export function signerOf(name: string): KeySigner {
  return createKeySigner(seedOf(name))
}

/** Writes bytes in hexadecimal. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Writes bytes in base64url. */
export function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

/** Who sends and who receives. */
export const sender: KeySigner = signerOf('sender')
export const receiver: KeySigner = signerOf('receiver')

/** The subject under which the sender's frames come to the receiver. */
export const inboxSubject: string = formatInboxSubject('main', receiver.did, sender.did)

/** The smallest header that there is: a refusal, which needs nothing but what it answers. */
export function minimalHeader(name: string): Readonly<Record<string, unknown>> {
  return {
    type: 'refusal',
    id: base64url(drawBytes(`id ${name}`, 16)),
    from: sender.did,
    to: receiver.did,
    mesh: 'main',
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + 60_000,
    inReplyTo: base64url(drawBytes('leaf', 32)),
  }
}

/** A request with what a request needs. */
export function requestHeader(name: string): Readonly<Record<string, unknown>> {
  const { inReplyTo: _answered, ...common } = minimalHeader(name)
  return {
    ...common,
    type: 'request',
    session: base64url(drawBytes('session', 32)),
    counter: 1,
    capability: 'flights:reserve',
    contract: base64url(drawBytes('contract', 32)),
    remainingMs: 5_000,
    traceparent: `00-${hex(drawBytes('trace', 16))}-${hex(drawBytes('span', 8))}-01`,
  }
}

/** Makes an envelope of header text and body; the salt is drawn from its name. */
export function envelopeOf(name: string, header: object | string | Uint8Array, body = ''): UnsignedEnvelope {
  const text = typeof header === 'string' ? header : JSON.stringify(header)
  return {
    header: header instanceof Uint8Array ? header : encoder.encode(text),
    body: encoder.encode(body),
    salt: drawBytes(`salt ${name}`, 16),
  }
}

/** Signs envelopes as one frame. */
export async function frameOf(
  envelopes: readonly UnsignedEnvelope[],
  signer: KeySigner = sender,
  domain: SigningDomain = signingDomains.frame,
): Promise<Uint8Array> {
  const suite = suites.ed25519Sha256
  const signature = await signer.sign(domain, frameSignedBytes(systemHash, suite, hashEnvelopes(systemHash, envelopes)))
  return encodeFrame(suite, signature, envelopes)
}

/** Prints a vector file: one line for each entry, so that a change shows which ones moved. */
export function printVectors(
  comment: string,
  facts: object,
  lists: Readonly<Record<string, readonly object[]>>,
): string {
  const head = Object.entries({ $comment: comment, ...facts }).map(
    ([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  )
  const bodies = Object.entries(lists).map(([name, entries]) => {
    const lines = entries.map((entry) => `    ${JSON.stringify(entry)}`)
    return `  ${JSON.stringify(name)}: [\n${lines.join(',\n')}\n  ]`
  })
  return `{\n${[...head, ...bodies].join(',\n')}\n}\n`
}
