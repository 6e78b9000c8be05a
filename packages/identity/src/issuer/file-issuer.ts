import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createSystemRandom, type Random } from '@parley/ports'
import { type Did, MeshError } from '@parley/protocol'
import { type Anchor, createAnchors, parseAnchor } from '../credential/anchor.ts'
import type { CapabilityScope } from '../credential/capability-scope.ts'
import { decodeIssuerStatement, signIssuerStatement } from '../credential/issuer-statement.ts'
import { createOwnerKeySet, formatDidDocument, hashOwnerKeySet } from '../did-web/owner-key-set.ts'
import { peekClaims } from '../jwt/peek-claims.ts'
import { isJwtSigned } from '../jwt/verify-jwt.ts'
import { replaceDurableFile } from '../key/durable-file.ts'
import { readKeyFile, writeKeyFile } from '../key/key-file.ts'
import { signJoinGrant } from '../join/join-grant.ts'
import { createKeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import type { NatsAccount } from '../nats/nats-account.ts'
import { createKeyIssuer, type NameAllowance } from './key-issuer.ts'
import {
  issuerFiles,
  type IssuerFolder,
  openOwner,
  passphraseOf,
  readAnchor,
  readText,
  unavailable,
} from './issuer-folder.ts'
import { openOrderFolder } from './order-folder.ts'
import { createOrderLog } from './order-log.ts'
import { delegateAsOwner, joinAsIssuer, releaseAsOwner, type OwnerIssuer } from './owner-issuer.ts'

/** What a new owner with its issuer is made of. */
export interface FileIssuerSetup extends IssuerFolder {
  /** The first part of every name that it gives. */
  readonly alias: string
  /** The owner's DID if it is a did:web, whose document is written as `did.json`; else it is that of its key. */
  readonly did?: Did
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

const defaultStatementMs = 90 * 86_400_000
const defaultMaxCredentialMs = 3_600_000

/**
 * Makes an owner, its issuer and the statement between them in a folder: `owner.key` and `issuer.key` (0600),
 * `statement.jwt` and `anchor.json` (public); `orders/` (public) comes with the first order. Returns the anchor for other
 * nodes. `owner.key` may be moved offline afterwards: only `delegate`, `release`, `order` and `renewIssuerStatement` read it. Rejects
 * with `identity.key-file-exists` if the folder has keys already, `identity.anchor-invalid`.
 */
export async function initFileIssuer(setup: FileIssuerSetup): Promise<Anchor> {
  const { dir, alias, clock, random } = setup
  const ownerSeed = generateSeed(random)
  const issuerSeed = generateSeed(random)
  const ownerKey = createKeySigner(ownerSeed)
  const keySet = createOwnerKeySet({ threshold: 1, keys: [ownerKey.did] })
  const owner = { did: setup.did ?? ownerKey.did, sign: ownerKey.sign }
  const anchor = parseAnchor({
    owner: owner.did,
    ...(setup.did === undefined ? {} : { pin: hashOwnerKeySet(keySet), keySet }),
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
  const decoded = decodeIssuerStatement(statement, nowMs, createAnchors([anchor]).keysOf)
  if (decoded.kind === 'deny')
    throw new MeshError('identity.anchor-invalid', `the issuer cannot be so: ${decoded.reason}`)
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const protection = { random, ...passphraseOf(setup) }
  await writeKeyFile(join(dir, issuerFiles.ownerKey), ownerSeed, protection)
  await writeKeyFile(join(dir, issuerFiles.issuerKey), issuerSeed, protection)
  const open = { random, mode: 0o644 }
  await replaceDurableFile(join(dir, issuerFiles.statement), `${statement}\n`, open)
  await replaceDurableFile(join(dir, issuerFiles.anchor), `${JSON.stringify(anchor, undefined, 2)}\n`, open)
  if (setup.did !== undefined) {
    const document = JSON.stringify(formatDidDocument(setup.did, keySet), undefined, 2)
    await replaceDurableFile(join(dir, issuerFiles.document), `${document}\n`, open)
  }
  return anchor
}

/**
 * Opens an issuer folder. The statement is read again at every issue, so a renewed one is used at once. Rejects with
 * `identity.issuer-unavailable` if the files are missing or contradict each other, and as `readKeyFile` does.
 */
export async function openFileIssuer(options: FileIssuerOptions): Promise<OwnerIssuer> {
  const { dir, clock, random, allow, credentialMs, natsAccount } = options
  const anchor = await readAnchor(dir)
  const signer = createKeySigner(await readKeyFile(join(dir, issuerFiles.issuerKey), passphraseOf(options)))
  const statement = (): Promise<string> => readText(join(dir, issuerFiles.statement))
  const { keysOf } = createAnchors([anchor])
  const decoded = decodeIssuerStatement(await statement(), clock.now(), keysOf)
  if (decoded.kind === 'deny') {
    throw unavailable(`the statement in ${dir} cannot be used: ${decoded.reason}; run renewIssuerStatement`)
  }
  if (decoded.decoded.owner !== anchor.owner || decoded.decoded.statement.issuer !== signer.did) {
    throw unavailable(`the files in ${dir} do not belong together; restore them`)
  }
  return {
    owner: decoded.decoded.owner,
    issuer: signer.did,
    anchor,
    joinToken: (request) =>
      joinAsIssuer(signer, anchor, request, { clock, random, ...(natsAccount && { natsAccount }) }),
    grantJoin: (grant) => signJoinGrant(signer, grant),
    ...(natsAccount && { natsAccount }),
    delegate: async (request) => delegateAsOwner(await openOwner(options), request, { clock, random }),
    release: async (request) => releaseAsOwner(await openOwner(options), anchor, request, clock),
    ...createOrderLog({
      owner: decoded.decoded.owner,
      clock,
      ownerSigner: () => openOwner(options),
      signer,
      statement,
      ...openOrderFolder(options),
    }),
    ...createKeyIssuer({
      signer,
      statement,
      ownerKeys: keysOf,
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
  const path = join(folder.dir, issuerFiles.statement)
  const token = await readText(path)
  // One that expired is still good to renew from, so it is read as of when it was made.
  const { iat } = peekClaims(token)
  const issuedAtMs = typeof iat === 'number' ? iat * 1000 : Number.NaN
  const verdict = decodeIssuerStatement(token, issuedAtMs, createAnchors([await readAnchor(folder.dir)]).keysOf)
  if (verdict.kind === 'deny' || !isJwtSigned(verdict.decoded.jwt))
    throw unavailable(`${path} is not a signed statement`)
  const owner = await openOwner(folder)
  const nowMs = folder.clock.now()
  const renewed = await signIssuerStatement(owner, {
    ...verdict.decoded.statement,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + (folder.statementMs ?? defaultStatementMs),
  })
  await replaceDurableFile(path, `${renewed}\n`, { random: createSystemRandom(), mode: 0o644 })
}
