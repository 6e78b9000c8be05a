import { createCipheriv, createDecipheriv, scrypt } from 'node:crypto'
import { createSystemRandom, type Random } from '@parley/ports'
import { isMeshError, MeshError } from '@parley/protocol'
import { createDurableFile, errnoOf } from './durable-file.ts'
import { createKeySigner } from './key-signer.ts'
import { readPrivateText } from './private-file.ts'
import { seedBytes } from './seed.ts'

/** How a key file is protected. */
export interface KeyFileOptions {
  /** Encrypts the seed with AES-256-GCM under a scrypt key (RFC 7914). Without it only the file mode protects the seed. */
  readonly passphrase?: string
  /** Supplies salt, nonce and the temporary name; the operating system's by default. */
  readonly random?: Random
}

/** scrypt's N: 128 MiB and about a third of a second for each guess at a passphrase. */
const scryptCost = 2 ** 17
const scryptOptions = { N: scryptCost, r: 8, p: 1, maxmem: 192 * 1024 * 1024 }
const maxFileBytes = 4096

/**
 * Keeps a seed in a new file with mode 0600. The file appears whole or not at all (written aside, synced, then linked),
 * and an existing file is never overwritten: that rejects with `identity.key-file-exists`.
 */
export async function writeKeyFile(path: string, seed: Uint8Array, options: KeyFileOptions = {}): Promise<void> {
  const { did } = createKeySigner(seed)
  const random = options.random ?? createSystemRandom()
  const body =
    options.passphrase === undefined
      ? { seed: Buffer.from(seed).toString('base64url') }
      : await encryptSeed(seed, did, options.passphrase, random)
  const text = `${JSON.stringify({ format: 'parley-key/1', did, ...body }, undefined, 2)}\n`
  try {
    await createDurableFile(path, text, { random, mode: 0o600 })
  } catch (cause) {
    if (errnoOf(cause) === 'EEXIST') {
      throw new MeshError('identity.key-file-exists', `${path} exists and a key file is never overwritten`, { cause })
    }
    const why = cause instanceof Error ? cause.message : 'unknown'
    throw new MeshError('identity.key-file-invalid', `${path} cannot be written: ${why}`, { cause })
  }
}

/**
 * Reads the seed out of a key file and proves that it belongs to the DID that the file names. Rejects with
 * `identity.key-file-permissions` if group or others may read it (not checked on Windows), `identity.key-file-invalid`
 * if it is missing, damaged, or the passphrase is missing, needless or wrong.
 */
export async function readKeyFile(path: string, options: Pick<KeyFileOptions, 'passphrase'> = {}): Promise<Uint8Array> {
  const text = await readPrivateText(path, maxFileBytes)
  try {
    const content = parseContent(text)
    const seed =
      'seed' in content
        ? readPlainSeed(content.seed, options.passphrase)
        : await decryptSeed(content, options.passphrase)
    if (createKeySigner(seed).did !== content.did) throw invalid('its seed does not belong to its DID')
    return seed
  } catch (cause) {
    const why = isMeshError(cause) ? cause.message : 'it is not a key file'
    throw new MeshError('identity.key-file-invalid', `${path} cannot be used: ${why}`, { cause })
  }
}

interface PlainContent {
  readonly did: string
  readonly seed: string
}

interface SealedContent {
  readonly did: string
  readonly cost: number
  readonly salt: string
  readonly nonce: string
  readonly sealed: string
}

function parseContent(text: string): PlainContent | SealedContent {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null) throw invalid('it is not a key file')
  const content = value as Readonly<Record<string, unknown>>
  const { did, seed, cost, salt, nonce, sealed } = content
  if (content['format'] !== 'parley-key/1' || typeof did !== 'string') throw invalid('it is not a key file')
  if (typeof seed === 'string') return { did, seed }
  if (cost !== scryptCost || typeof salt !== 'string' || typeof nonce !== 'string' || typeof sealed !== 'string') {
    throw invalid('its encryption is not known here')
  }
  return { did, cost, salt, nonce, sealed }
}

function readPlainSeed(text: string, passphrase: string | undefined): Uint8Array {
  if (passphrase !== undefined) throw invalid('a passphrase was given, but it is not encrypted')
  const seed = new Uint8Array(Buffer.from(text, 'base64url'))
  if (seed.length !== seedBytes) throw invalid('its seed has a wrong length')
  return seed
}

async function encryptSeed(
  seed: Uint8Array,
  did: string,
  passphrase: string,
  random: Random,
): Promise<Omit<SealedContent, 'did'>> {
  const salt = random.bytes(16)
  const nonce = random.bytes(12)
  const cipher = createCipheriv('aes-256-gcm', await deriveKey(passphrase, salt), nonce)
  cipher.setAAD(Buffer.from(did))
  const sealed = Buffer.concat([cipher.update(seed), cipher.final(), cipher.getAuthTag()])
  return {
    cost: scryptCost,
    salt: Buffer.from(salt).toString('base64url'),
    nonce: Buffer.from(nonce).toString('base64url'),
    sealed: sealed.toString('base64url'),
  }
}

async function decryptSeed(content: SealedContent, passphrase: string | undefined): Promise<Uint8Array> {
  if (passphrase === undefined) throw invalid('it is encrypted; give its passphrase')
  const nonce = Buffer.from(content.nonce, 'base64url')
  const sealed = Buffer.from(content.sealed, 'base64url')
  if (nonce.length !== 12 || sealed.length !== seedBytes + 16) throw invalid('its sealed seed has a wrong length')
  const key = await deriveKey(passphrase, Buffer.from(content.salt, 'base64url'))
  const decipher = createDecipheriv('aes-256-gcm', key, nonce)
  decipher.setAAD(Buffer.from(content.did))
  decipher.setAuthTag(sealed.subarray(seedBytes))
  const seed = decipher.update(sealed.subarray(0, seedBytes))
  try {
    decipher.final()
  } catch (cause) {
    throw new MeshError('identity.key-file-invalid', 'the passphrase is wrong or the file is damaged', { cause })
  }
  return new Uint8Array(seed)
}

function deriveKey(passphrase: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFKC'), salt, 32, scryptOptions, (error, key) => {
      if (error) reject(error)
      else resolve(key)
    })
  })
}

function invalid(why: string): MeshError {
  return new MeshError('identity.key-file-invalid', why)
}
