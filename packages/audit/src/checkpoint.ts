import type { Hash, Signer } from '@parley/ports'
import { isSameHash, MeshError, type SignatureCheck, signingDomains } from '@parley/protocol'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { decodeDidKey } from './did-key.ts'

/** What a checkpoint states about a log. */
export interface Head {
  /** Names the log, as one word without `+`: for instance `parley/demo/acme/flights`. */
  readonly origin: string
  /** Number of records. */
  readonly size: number
  /** Merkle root over all of them. */
  readonly root: Uint8Array
  /** Leaf hash of the last one, which fixes the chain of `prev` backwards. */
  readonly last: Uint8Array
}

/** A signed head. `note` is the exact signed-note text. */
export interface Checkpoint extends Head {
  /** The did:key that signed. */
  readonly did: string
  readonly note: string
}

const utf8 = new TextEncoder()
const ed25519NoteType = Uint8Array.of(0x0a, 0x01)
const notePattern = /^(([^\n]+)\n(0|[1-9]\d{0,15})\n([^\n]+)\nlast ([^\n]+)\n)\n— ([^ \n]+) ([^ \n]+)\n$/u

/** Tells whether `text` may name a log: one word of printable characters without `+`, as a signed note's key name is. */
export function isOrigin(text: string): boolean {
  return /^[^\s+\p{C}]{1,255}$/u.test(text)
}

/**
 * Signs a head as a C2SP tlog-checkpoint: origin, size, base64 root, one extension line `last <base64 leaf hash>`, and
 * one signed-note line whose key name is the origin and whose key id is that of C2SP signed-note for Ed25519. It deviates
 * in one thing: the signature covers `parley/1/checkpoint ‖ 0x00 ‖ text`, not the text alone, so that it can never stand
 * for another kind of statement by the same key. A stock note verifier therefore has to be given the prefixed text.
 * Rejects with what the signer rejects with, or `identity.did-invalid` if the signer is no Ed25519 did:key.
 */
export async function signCheckpoint(head: Head, signer: Signer, hash: Hash): Promise<Checkpoint> {
  const keyId = computeKeyId(head.origin, signer.did, hash)
  if (!keyId) throw new MeshError('identity.did-invalid', `${signer.did} cannot sign checkpoints: no Ed25519 did:key`)
  const text = `${head.origin}\n${head.size}\n${encodeBase64(head.root)}\nlast ${encodeBase64(head.last)}\n`
  const signature = await signer.sign(signingDomains.checkpoint, utf8.encode(text))
  const note = `${text}\n— ${head.origin} ${encodeBase64(Uint8Array.of(...keyId, ...signature))}\n`
  return { ...head, did: signer.did, note }
}

/** Reads a note; answers undefined unless it is canonical and its signature by `did` holds. */
export function verifyCheckpoint(
  note: string,
  did: string,
  verify: SignatureCheck,
  hash: Hash,
): Checkpoint | undefined {
  const checkpoint = parseCheckpoint(note, did)
  const match = notePattern.exec(note)
  const signature = decodeBase64(match?.[7] ?? '')
  if (!checkpoint || match?.[1] === undefined || match[6] !== checkpoint.origin) return undefined
  const keyId = computeKeyId(checkpoint.origin, did, hash)
  if (!keyId || signature?.length !== 68 || !isSameHash(signature.subarray(0, 4), keyId)) return undefined
  const isGenuine = verify(did, signingDomains.checkpoint, utf8.encode(match[1]), signature.subarray(4))
  return isGenuine ? checkpoint : undefined
}

/** Reads what a note states without checking who signed it. */
export function parseCheckpoint(note: string, did: string): Checkpoint | undefined {
  const match = notePattern.exec(note)
  if (!match) return undefined
  const [, , origin = '', size = '', rootText = '', lastText = ''] = match
  const root = decodeBase64(rootText)
  const last = decodeBase64(lastText)
  if (root?.length !== 32 || last?.length !== 32 || !isOrigin(origin)) return undefined
  return { origin, size: Number(size), root, last, did, note }
}

function computeKeyId(keyName: string, did: string, hash: Hash): Uint8Array | undefined {
  const publicKey = decodeDidKey(did)
  return publicKey && hash(utf8.encode(keyName), ed25519NoteType, publicKey).subarray(0, 4)
}
