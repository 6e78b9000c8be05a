import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Signer } from '@parley/ports'
import { type Did, isMeshError, MeshError } from '@parley/protocol'
import { type Anchor, createAnchors, parseAnchor } from '../credential/anchor.ts'
import { readKeyFile } from '../key/key-file.ts'
import { createKeySigner } from '../key/key-signer.ts'

/** Where an issuer's files are, and how its keys are opened. */
export interface IssuerFolder {
  readonly dir: string
  /** Opens both keys; without it they are protected by their file mode alone. */
  readonly passphrase?: string
  readonly clock: Clock
}

/** The names of the files in an issuer's folder. */
export const issuerFiles = {
  ownerKey: 'owner.key',
  issuerKey: 'issuer.key',
  statement: 'statement.jwt',
  anchor: 'anchor.json',
  document: 'did.json',
} as const

/** Opens the owner of a folder, whose key signs for its DID. Rejects as `openFileIssuer` does. */
export async function openOwner(folder: IssuerFolder): Promise<Signer & { readonly did: Did }> {
  const path = join(folder.dir, issuerFiles.ownerKey)
  const anchor = await readAnchor(folder.dir)
  const key = createKeySigner(await readKeyFile(path, passphraseOf(folder)))
  if (!createAnchors([anchor]).keysOf(anchor.owner).includes(key.did))
    throw unavailable(`${path} is the key ${key.did}, which is none of ${anchor.owner}`)
  return { did: anchor.owner, sign: key.sign }
}

/** Reads the anchor of an issuer's folder. Rejects as `openFileIssuer` does. */
export async function readAnchor(dir: string): Promise<Anchor> {
  const path = join(dir, issuerFiles.anchor)
  const text = await readText(path)
  try {
    return parseAnchor(JSON.parse(text))
  } catch (cause) {
    throw unavailable(`${path} is not an anchor${isMeshError(cause) ? `: ${cause.message}` : ''}`, cause)
  }
}

/** Reads a file of an issuer's folder without its last line end. Rejects with `identity.issuer-unavailable`. */
export async function readText(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trimEnd()
  } catch (cause) {
    throw unavailable(`${path} cannot be read; name a folder that \`parley issuer init\` made, or restore it`, cause)
  }
}

/** Returns what key files are opened and written with. */
export function passphraseOf(folder: IssuerFolder): { readonly passphrase?: string } {
  return folder.passphrase === undefined ? {} : { passphrase: folder.passphrase }
}

/** Makes the error of a folder that cannot be used. */
export function unavailable(why: string, cause?: unknown): MeshError {
  return new MeshError('identity.issuer-unavailable', why, cause === undefined ? {} : { cause })
}
