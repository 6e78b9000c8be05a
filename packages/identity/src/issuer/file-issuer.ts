import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Random } from '@parley/ports'
import { isMeshError, MeshError } from '@parley/protocol'
import { type Anchor, parseAnchor } from '../credential/anchor.ts'
import type { CapabilityScope } from '../credential/capability-scope.ts'
import { decodeIssuerStatement, signIssuerStatement } from '../credential/issuer-statement.ts'
import { isJwtSigned } from '../jwt/verify-jwt.ts'
import { readKeyFile, writeKeyFile } from '../key/key-file.ts'
import { createKeySigner, type KeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import type { NatsAccount } from '../nats/nats-account.ts'
import { createKeyIssuer, type NameAllowance } from './key-issuer.ts'
import { createOrderLog } from './order-log.ts'
import { delegateAsOwner, type OwnerIssuer } from './owner-issuer.ts'

/** Where an issuer's files are, and how its keys are opened. */
export interface IssuerFolder {
  readonly dir: string
  /** Opens both keys; without it they are protected by their file mode alone. */
  readonly passphrase?: string
  readonly clock: Clock
}

/** What a new owner with its issuer is made of. */
export interface FileIssuerSetup extends IssuerFolder {
  /** The first part of every name that it gives. */
  readonly alias: string
  readonly random: Random
  /** What the anchor lets the owner be the root of, and what credentials may serve and call; `'all'` by default. */
  readonly roots?: CapabilityScope
  readonly serves?: CapabilityScope
  readonly calls?: CapabilityScope
  /** The highest ceiling that its credentials get; 1000 by default. */
  readonly ceiling?: number
  /** The most privileged ring that it may give; none by default. */
  readonly ring?: number
  /** The longest life of a credential, one hour by default. */
  readonly maxCredentialMs?: number
  /** The life of the statement, 90 days by default; then `renewIssuerStatement`. */
  readonly statementMs?: number
}

/** How an issuer folder is used. */
export interface FileIssuerOptions extends IssuerFolder {
  readonly random: Random
  readonly allow?: Readonly<Record<string, NameAllowance>>
  readonly credentialMs?: number
  /** Mints the NATS users that go with the credentials: what `openNatsAccount` opens. */
  readonly natsAccount?: NatsAccount
}

const ownerKeyFile = 'owner.key'
const issuerKeyFile = 'issuer.key'
const statementFile = 'statement.jwt'
const anchorFile = 'anchor.json'
const ordersFile = 'orders.txt'
const defaultStatementMs = 90 * 86_400_000
const defaultMaxCredentialMs = 3_600_000

/**
 * Makes an owner, its issuer and the statement between them in a folder: `owner.key` and `issuer.key` (0600),
 * `statement.jwt` and `anchor.json` (public); `orders.txt` (public) comes with the first order. Returns the anchor for other nodes. `owner.key` may be moved offline
 * afterwards: only `delegate`, `order` and `renewIssuerStatement` read it. Rejects with `identity.key-file-exists` if the folder
 * has keys already, `identity.anchor-invalid`.
 */
export async function initFileIssuer(setup: FileIssuerSetup): Promise<Anchor> {
  const { dir, alias, clock, random } = setup
  const ownerSeed = generateSeed(random)
  const issuerSeed = generateSeed(random)
  const owner = createKeySigner(ownerSeed)
  const anchor = parseAnchor({
    owner: owner.did,
    alias,
    issues: [`${alias}/*`],
    roots: setup.roots ?? 'all',
  })
  const nowMs = clock.now()
  const statement = await signIssuerStatement(owner, {
    issuer: createKeySigner(issuerSeed).did,
    names: anchor.issues,
    serves: setup.serves ?? 'all',
    calls: setup.calls ?? 'all',
    ceiling: setup.ceiling ?? 1000,
    ...(setup.ring === undefined ? {} : { ring: setup.ring }),
    maxCredentialMs: setup.maxCredentialMs ?? defaultMaxCredentialMs,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + (setup.statementMs ?? defaultStatementMs),
  })
  const decoded = decodeIssuerStatement(statement, nowMs)
  if (decoded.kind === 'deny')
    throw new MeshError('identity.anchor-invalid', `the issuer cannot be so: ${decoded.reason}`)
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const protection = { random, ...passphraseOf(setup) }
  await writeKeyFile(join(dir, ownerKeyFile), ownerSeed, protection)
  await writeKeyFile(join(dir, issuerKeyFile), issuerSeed, protection)
  await replaceFile(join(dir, statementFile), `${statement}\n`)
  await replaceFile(join(dir, anchorFile), `${JSON.stringify(anchor, undefined, 2)}\n`)
  return anchor
}

/**
 * Opens an issuer folder. The statement is read again at every issue, so a renewed one is used at once. Rejects with
 * `identity.issuer-unavailable` if the files are missing or contradict each other, and as `readKeyFile` does.
 */
export async function openFileIssuer(options: FileIssuerOptions): Promise<OwnerIssuer> {
  const { dir, clock, random, allow, credentialMs, natsAccount } = options
  const anchor = await readAnchor(dir)
  const signer = createKeySigner(await readKeyFile(join(dir, issuerKeyFile), passphraseOf(options)))
  const statement = (): Promise<string> => readText(join(dir, statementFile))
  const decoded = decodeIssuerStatement(await statement(), clock.now())
  if (decoded.kind === 'deny') {
    throw unavailable(`the statement in ${dir} cannot be used: ${decoded.reason}; run renewIssuerStatement`)
  }
  if (decoded.decoded.owner !== anchor.owner || decoded.decoded.statement.issuer !== signer.did) {
    throw unavailable(`the files in ${dir} do not belong together; restore them`)
  }
  return {
    owner: decoded.decoded.owner,
    anchor,
    delegate: async (request) =>
      delegateAsOwner(await readOwner(options, decoded.decoded.owner), request, { clock, random }),
    ...createOrderLog({
      owner: decoded.decoded.owner,
      clock,
      ownerSigner: () => readOwner(options, decoded.decoded.owner),
      signer,
      statement,
      load: () => readOrders(dir),
      append: (order) => appendOrder(dir, order),
    }),
    ...createKeyIssuer({
      signer,
      statement,
      clock,
      random,
      ...(allow ? { allow } : {}),
      ...(credentialMs === undefined ? {} : { credentialMs }),
      ...(natsAccount ? { natsAccount } : {}),
    }),
  }
}

/**
 * Signs the statement of an issuer folder again with the same terms and a life from now on (90 days by default), also
 * after it expired. Needs `owner.key`. Rejects as `openFileIssuer` does.
 */
export async function renewIssuerStatement(folder: IssuerFolder & { readonly statementMs?: number }): Promise<void> {
  const path = join(folder.dir, statementFile)
  const token = await readText(path)
  const [, payload] = token.split('.')
  const issuedAtMs = readIssuedAtMs(payload ?? '')
  const verdict = decodeIssuerStatement(token, issuedAtMs)
  if (verdict.kind === 'deny' || !isJwtSigned(verdict.decoded.jwt))
    throw unavailable(`${path} is not a signed statement`)
  const owner = await readOwner(folder, verdict.decoded.owner)
  const nowMs = folder.clock.now()
  const renewed = await signIssuerStatement(owner, {
    ...verdict.decoded.statement,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + (folder.statementMs ?? defaultStatementMs),
  })
  await replaceFile(path, `${renewed}\n`)
}

async function readOwner(folder: IssuerFolder, expected: string): Promise<KeySigner> {
  const path = join(folder.dir, ownerKeyFile)
  const owner = createKeySigner(await readKeyFile(path, passphraseOf(folder)))
  if (owner.did !== expected) throw unavailable(`${path} is the key of ${owner.did}, not of ${expected}`)
  return owner
}

async function readAnchor(dir: string): Promise<Anchor> {
  const path = join(dir, anchorFile)
  const text = await readText(path)
  try {
    return parseAnchor(JSON.parse(text))
  } catch (cause) {
    throw unavailable(`${path} is not an anchor${isMeshError(cause) ? `: ${cause.message}` : ''}`, cause)
  }
}

async function readText(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trimEnd()
  } catch (cause) {
    throw unavailable(`${path} cannot be read; name a folder that \`parley issuer init\` made, or restore it`, cause)
  }
}

/** A statement that expired is still good to renew from, so it is read as of when it was made. */
function readIssuedAtMs(payload: string): number {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    const iat = typeof value === 'object' && value !== null && 'iat' in value ? value.iat : undefined
    return typeof iat === 'number' ? iat * 1000 : Number.NaN
  } catch (cause) {
    throw unavailable('the statement is not a token', cause)
  }
}

/** Reads the owner’s orders, one a line. */
async function readOrders(dir: string): Promise<readonly string[]> {
  try {
    const lines = (await readFile(join(dir, ordersFile), 'utf8')).split('\n')
    return lines.slice(0, -1)
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return []
    throw unavailable(`${join(dir, ordersFile)} cannot be read; restore it`, cause)
  }
}

async function appendOrder(dir: string, order: string): Promise<void> {
  const orders = await readOrders(dir)
  await replaceFile(join(dir, ordersFile), [...orders, order, ''].join('\n'))
}

/** Writes a public file aside and renames it, so that a reader sees the old text or the new one. */
async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.tmp`
  const file = await open(draft, 'w', 0o644)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
}

function passphraseOf(folder: IssuerFolder): { readonly passphrase?: string } {
  return folder.passphrase === undefined ? {} : { passphrase: folder.passphrase }
}

function unavailable(why: string, cause?: unknown): MeshError {
  return new MeshError('identity.issuer-unavailable', why, cause === undefined ? {} : { cause })
}
