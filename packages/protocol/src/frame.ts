import { commitBody, hashLeaf } from './leaf.ts'
import { limits } from './limits.ts'
import { MeshError } from './mesh-error.ts'
import { computeMerkleRoot } from './merkle/merkle-proof.ts'
import { refuse, type Refusal } from './refusal.ts'
import type { Sha256 } from './sha256.ts'

/** The version of IATP in every frame. */
export const iatpVersion = 1

/** Signature suites by number. 1 is Ed25519 (RFC 8032) with SHA-256. */
export const suites = { ed25519Sha256: 1 } as const

const magic = Uint8Array.of(0x49, 0x41, 0x54, 0x50)
/** Bytes of an Ed25519 signature (RFC 8032 §5.1.6). */
export const signatureBytes: number = 64
/** Bytes of the salt of an envelope. */
export const saltBytes: number = 16
const prefixBytes = magic.length + 3 + signatureBytes
const envelopeOverheadBytes = 4 + 4 + saltBytes
/** Credential, statement and chain travel in the header, on top of its own limit. */
export const maxHeaderBytes: number = limits.headerBytes + 2 * limits.credentialBytes + limits.chainBytes

/** An envelope before it is signed: the exact header bytes, the body, and 16 random bytes. */
export interface UnsignedEnvelope {
  readonly header: Uint8Array
  readonly body: Uint8Array
  readonly salt: Uint8Array
}

/** An envelope as it came: its parts are views into the frame. */
export interface FramedEnvelope extends UnsignedEnvelope {
  /** The leaf hash: what a reply signs, and the envelope's name in evidence. */
  readonly leaf: Uint8Array
}

/** A frame as it came, not yet verified. */
export interface Frame {
  readonly suite: number
  readonly signature: Uint8Array
  /** What the signature is over, without the domain. */
  readonly signedBytes: Uint8Array
  readonly envelopes: readonly FramedEnvelope[]
}

/**
 * Computes what a frame's signature is over: suite u8 ‖ leaf count u8 ‖ RFC 9162 root. The domain goes before it. Throws a
 * RangeError for a number of leaves that no frame has.
 */
export function frameSignedBytes(hash: Sha256, suite: number, leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length < 1 || leaves.length > limits.frameEnvelopes)
    throw new RangeError(`a frame cannot have ${String(leaves.length)} leaves`)
  return encodeSignedRoot(suite, leaves.length, computeMerkleRoot(hash, leaves))
}

/** Encodes what a frame's signature is over from a root that is known. */
export function encodeSignedRoot(suite: number, leafCount: number, root: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(2 + 32)
  bytes[0] = suite
  bytes[1] = leafCount
  bytes.set(root, 2)
  return bytes
}

/** Bytes that an envelope adds to a frame; the first one brings the frame's prefix too. */
export function envelopeBytes({ header, body }: Pick<UnsignedEnvelope, 'header' | 'body'>): number {
  return envelopeOverheadBytes + prefixBytes + header.length + body.length
}

/** Hashes the leaves of envelopes that are about to be signed. */
export function hashEnvelopes(hash: Sha256, envelopes: readonly UnsignedEnvelope[]): readonly Uint8Array[] {
  return envelopes.map(({ header, salt, body }) => hashLeaf(hash, header, commitBody(hash, salt, body)))
}

/**
 * Encodes a frame: magic `IATP`, version, suite, count, signature, then for each envelope u32 header length, u32 body
 * length, salt, header, body. Throws `iatp.frame-oversize` for more than 64 envelopes, or more than 256 KiB unless alone,
 * and `iatp.frame-malformed` for no envelope or a signature or salt of another length.
 */
export function encodeFrame(suite: number, signature: Uint8Array, envelopes: readonly UnsignedEnvelope[]): Uint8Array {
  if (envelopes.length === 0 || signature.length !== signatureBytes)
    throw new MeshError('iatp.frame-malformed', 'a frame needs an envelope and a signature of 64 bytes')
  if (envelopes.some(({ salt }) => salt.length !== saltBytes))
    throw new MeshError('iatp.frame-malformed', 'the salt of an envelope has 16 bytes')
  let size = prefixBytes
  for (const { header, body } of envelopes) {
    if (header.length > maxHeaderBytes || body.length > limits.bodyBytes)
      throw new MeshError(
        'iatp.frame-oversize',
        `an envelope with a header of ${String(header.length)} and a body of ${String(body.length)} bytes is too large: bodies may have ${String(limits.bodyBytes)}`,
      )
    size += envelopeOverheadBytes + header.length + body.length
  }
  if (envelopes.length > limits.frameEnvelopes || (envelopes.length > 1 && size > limits.bundleBytes))
    throw new MeshError(
      'iatp.frame-oversize',
      `a bundle of ${String(envelopes.length)} envelopes and ${String(size)} bytes is too large`,
    )
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  bytes.set(magic)
  bytes.set([iatpVersion, suite, envelopes.length], magic.length)
  bytes.set(signature, magic.length + 3)
  let at = prefixBytes
  for (const { header, body, salt } of envelopes) {
    view.setUint32(at, header.length)
    view.setUint32(at + 4, body.length)
    bytes.set(salt, at + 8)
    bytes.set(header, at + envelopeOverheadBytes)
    bytes.set(body, at + envelopeOverheadBytes + header.length)
    at += envelopeOverheadBytes + header.length + body.length
  }
  return bytes
}

/** A frame that was laid out and not yet hashed: its lengths are those that are allowed, nothing else is known. */
export interface SplitFrame {
  readonly suite: number
  readonly signature: Uint8Array
  readonly envelopes: readonly UnsignedEnvelope[]
}

/**
 * Decodes a frame without believing it: lengths come before hashing, hashing before any signature check. Refuses with
 * `iatp.frame-malformed`, `iatp.version-unsupported`, `iatp.suite-unsupported` or `iatp.frame-oversize`.
 */
export function decodeFrame(
  hash: Sha256,
  bytes: Uint8Array,
): { readonly kind: 'allow'; readonly frame: Frame } | Refusal {
  const told = readFrameHead(bytes)
  if (told.kind === 'deny') return told
  return { kind: 'allow', frame: hashFrame(hash, splitFrame(bytes)) }
}

/**
 * Does the first step of `decodeFrame`: holds all lengths against the bytes and counts the envelopes, so that a sender's
 * limit can be asked before anything is taken apart. Allocates nothing: a flood pays for it frame by frame.
 */
export function readFrameHead(bytes: Uint8Array): { readonly kind: 'allow'; readonly envelopes: number } | Refusal {
  if (bytes.length < prefixBytes || !startsWithMagic(bytes))
    return refuse('iatp.frame-malformed', 'the bytes do not start as an IATP frame')
  const version = bytes[magic.length] ?? 0
  const suite = bytes[magic.length + 1] ?? 0
  const count = bytes[magic.length + 2] ?? 0
  if (version !== iatpVersion)
    return refuse('iatp.version-unsupported', `frame version ${String(version)} is not spoken here`)
  if (suite !== suites.ed25519Sha256)
    return refuse('iatp.suite-unsupported', `suite ${String(suite)} is not accepted here`)
  if (count < 1 || count > limits.frameEnvelopes)
    return refuse('iatp.frame-malformed', `a frame cannot hold ${String(count)} envelopes`)
  if (count > 1 && bytes.length > limits.bundleBytes)
    return refuse('iatp.frame-oversize', 'the bundle is larger than 256 KiB')
  return checkLengths(bytes, count) ?? { kind: 'allow', envelopes: count }
}

/** Does the second step of `decodeFrame`, for a frame whose head holds: finds its envelopes by their lengths. */
export function splitFrame(bytes: Uint8Array): SplitFrame {
  const envelopes: UnsignedEnvelope[] = []
  for (let at = prefixBytes; at < bytes.length;) {
    const headerAt = at + envelopeOverheadBytes
    const bodyAt = headerAt + readLength(bytes, at)
    const end = bodyAt + readLength(bytes, at + 4)
    envelopes.push({
      salt: bytes.subarray(at + 8, headerAt),
      header: bytes.subarray(headerAt, bodyAt),
      body: bytes.subarray(bodyAt, end),
    })
    at = end
  }
  const signature = bytes.subarray(magic.length + 3, prefixBytes)
  return { suite: bytes[magic.length + 1] ?? 0, signature, envelopes }
}

/** Does the last step of `decodeFrame`: hashes the leaves, and what the signature is over. */
export function hashFrame(hash: Sha256, { suite, signature, envelopes: parts }: SplitFrame): Frame {
  const leaves: Uint8Array[] = []
  const envelopes: FramedEnvelope[] = []
  for (const { salt, header, body } of parts) {
    const leaf = hashLeaf(hash, header, commitBody(hash, salt, body))
    leaves.push(leaf)
    envelopes.push({ salt, header, body, leaf })
  }
  return { suite, signature, signedBytes: frameSignedBytes(hash, suite, leaves), envelopes }
}

function startsWithMagic(bytes: Uint8Array): boolean {
  for (let at = 0; at < magic.length; at++) if (bytes[at] !== magic[at]) return false
  return true
}

function checkLengths(bytes: Uint8Array, count: number): Refusal | undefined {
  let at = prefixBytes
  for (let index = 0; index < count; index++) {
    if (at + envelopeOverheadBytes > bytes.length)
      return refuse('iatp.frame-malformed', 'the frame ends within an envelope')
    const headerLength = readLength(bytes, at)
    const bodyLength = readLength(bytes, at + 4)
    if (headerLength > maxHeaderBytes || bodyLength > limits.bodyBytes)
      return refuse('iatp.frame-oversize', 'a header or a body is larger than the limit')
    at += envelopeOverheadBytes + headerLength + bodyLength
    if (at > bytes.length) return refuse('iatp.frame-malformed', 'the frame ends within an envelope')
  }
  return at === bytes.length ? undefined : refuse('iatp.frame-malformed', 'bytes follow the last envelope')
}

/** Reads an unsigned big-endian integer of 32 bits. */
function readLength(bytes: Uint8Array, at: number): number {
  const low = ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
  return (bytes[at] ?? 0) * 0x100_0000 + low
}
