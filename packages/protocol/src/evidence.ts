import { iatpVersion, maxHeaderBytes, saltBytes, signatureBytes, suites, type Frame } from './frame.ts'
import { commitBody } from './leaf.ts'
import { limits } from './limits.ts'
import { computeInclusionLength, createInclusionProver } from './merkle/merkle-proof.ts'
import { MeshError } from './mesh-error.ts'
import { refuse, type Refusal } from './refusal.ts'
import type { Sha256 } from './sha256.ts'

/** The body that an envelope was sent with, and the salt that hid it. */
export interface EvidenceBody {
  readonly salt: Uint8Array
  readonly body: Uint8Array
}

/**
 * One envelope of a frame with all that shows who sent it: what is stored, put into receipts and shown to third parties.
 * Without the body it shows the same, but not what the body was; whoever has salt and body can still hold them against
 * the commitment.
 */
export interface Evidence {
  readonly suite: number
  /** How many leaves the signed bundle had, 1 to 64. */
  readonly leafCount: number
  /** The envelope's place among them, from 0. */
  readonly leafIndex: number
  readonly signature: Uint8Array
  /** The inclusion path of RFC 9162 §2.1.3, from the leaf up: as many hashes as index and count say. */
  readonly path: readonly Uint8Array[]
  readonly header: Uint8Array
  readonly content: EvidenceBody | { readonly commitment: Uint8Array }
}

/** What evidence is made of: a frame that came, or one that is about to leave. */
export type EvidenceFrame = Pick<Frame, 'suite' | 'signature' | 'envelopes'>

const magic = Uint8Array.of(0x49, 0x41, 0x54, 0x45)
const hashBytes = 32
const signatureAt = magic.length + 5
const pathAt = signatureAt + signatureBytes
const forms = { withoutBody: 0, withBody: 1 } as const

/**
 * Takes one envelope out of a frame as evidence, with its body or, by `withBody: false`, with the commitment alone. The
 * bytes are views into the frame. Throws a RangeError for an index that the frame does not have.
 */
export function createEvidence(
  hash: Sha256,
  frame: EvidenceFrame,
  leafIndex: number,
  options: { readonly withBody?: boolean } = {},
): Evidence {
  const envelope = frame.envelopes[leafIndex]
  if (!envelope) throw new RangeError(`the frame has no envelope ${String(leafIndex)}`)
  const { header, salt, body } = envelope
  return {
    suite: frame.suite,
    leafCount: frame.envelopes.length,
    leafIndex,
    signature: frame.signature,
    path: proverOf(hash, frame.envelopes)(leafIndex),
    header,
    content: options.withBody === false ? { commitment: commitBody(hash, salt, body) } : { salt, body },
  }
}

/** Much of a frame becomes evidence, envelope by envelope. */
const provers = new WeakMap<Frame['envelopes'], ReturnType<typeof createInclusionProver>>()

function proverOf(hash: Sha256, envelopes: Frame['envelopes']): ReturnType<typeof createInclusionProver> {
  const known = provers.get(envelopes)
  if (known) return known
  const leaves = envelopes.map(({ leaf }) => leaf)
  const prover = createInclusionProver(hash, leaves)
  provers.set(envelopes, prover)
  return prover
}

/** Tells whether evidence holds the body. */
export function hasBody(content: Evidence['content']): content is EvidenceBody {
  return 'body' in content
}

/**
 * Encodes evidence: magic `IATE`, version, suite, form (1 with the body, 0 without), count, index, signature, path, u32
 * header length, header; then salt and body, or the commitment. Throws `iatp.evidence-malformed` for what `decodeEvidence`
 * would not take.
 */
export function encodeEvidence(evidence: Evidence): Uint8Array {
  const { suite, leafCount, leafIndex, signature, path, header, content } = evidence
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, header.length)
  const form = hasBody(content) ? forms.withBody : forms.withoutBody
  const parts = [
    magic,
    Uint8Array.of(iatpVersion, suite, form, leafCount, leafIndex),
    signature,
    ...path,
    length,
    header,
    ...(hasBody(content) ? [content.salt, content.body] : [content.commitment]),
  ]
  const bytes = new Uint8Array(parts.reduce((total, part) => total + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  if (!isWellMeasured(evidence) || decodeEvidence(bytes).kind === 'deny')
    throw new MeshError('iatp.evidence-malformed', 'a part of the evidence has a length that it cannot have')
  return bytes
}

/**
 * Decodes evidence without believing it; the parts are views into `bytes`. Every byte is accounted for: the path has
 * exactly the length that index and count give, and nothing follows. Refuses with `iatp.evidence-malformed`,
 * `iatp.version-unsupported`, `iatp.suite-unsupported` or `iatp.frame-oversize`.
 */
export function decodeEvidence(bytes: Uint8Array): { readonly kind: 'allow'; readonly evidence: Evidence } | Refusal {
  if (bytes.length < pathAt || magic.some((byte, at) => bytes[at] !== byte))
    return malformed('the bytes do not start as evidence')
  const [version, suite, form, leafCount, leafIndex] = bytes.subarray(magic.length, signatureAt) as unknown as [
    number,
    number,
    number,
    number,
    number,
  ]
  if (version !== iatpVersion) return refuse('iatp.version-unsupported', `version ${String(version)} is not known here`)
  if (suite !== suites.ed25519Sha256)
    return refuse('iatp.suite-unsupported', `suite ${String(suite)} is not known here`)
  if (form !== forms.withBody && form !== forms.withoutBody) return malformed(`there is no form ${String(form)}`)
  if (leafCount < 1 || leafCount > limits.frameEnvelopes || leafIndex >= leafCount)
    return malformed(`no bundle has a leaf ${String(leafIndex)} of ${String(leafCount)}`)
  const pathLength = computeInclusionLength(leafIndex, leafCount)
  const headerAt = pathAt + pathLength * hashBytes + 4
  if (bytes.length < headerAt) return malformed('the evidence ends within its path')
  const headerLength = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(headerAt - 4)
  if (headerLength > maxHeaderBytes) return refuse('iatp.frame-oversize', 'the header is larger than the limit')
  const header = bytes.subarray(headerAt, headerAt + headerLength)
  const rest = bytes.subarray(headerAt + headerLength)
  if (header.length !== headerLength) return malformed('the evidence ends within its header')
  const content = splitContent(form, rest)
  if ('kind' in content) return content
  const path = Array.from({ length: pathLength }, (_, at) =>
    bytes.subarray(pathAt + at * hashBytes, pathAt + (at + 1) * hashBytes),
  )
  const signature = bytes.subarray(signatureAt, pathAt)
  return { kind: 'allow', evidence: { suite, leafCount, leafIndex, signature, path, header, content } }
}

function splitContent(form: number, rest: Uint8Array): Evidence['content'] | Refusal {
  if (form === forms.withoutBody)
    return rest.length === hashBytes
      ? { commitment: rest }
      : malformed(`a commitment has ${String(hashBytes)} bytes, not ${String(rest.length)}`)
  if (rest.length < saltBytes) return malformed('the evidence ends within its salt')
  const body = rest.subarray(saltBytes)
  if (body.length > limits.bodyBytes) return refuse('iatp.frame-oversize', 'the body is larger than the limit')
  return { salt: rest.subarray(0, saltBytes), body }
}

/** Parts whose length the bytes themselves do not say. */
function isWellMeasured({ signature, path, content }: Evidence): boolean {
  return (
    signature.length === signatureBytes &&
    path.every((node) => node.length === hashBytes) &&
    (hasBody(content) ? content.salt.length === saltBytes : content.commitment.length === hashBytes)
  )
}

function malformed(reason: string): Refusal {
  return refuse('iatp.evidence-malformed', reason)
}
