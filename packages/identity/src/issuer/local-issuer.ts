import type { Clock, Random } from '@parley/ports'
import { MeshError } from '@parley/protocol'
import { type Anchor, createAnchors, parseAnchor } from '../credential/anchor.ts'
import type { CapabilityScope } from '../credential/capability-scope.ts'
import { signIssuerStatement } from '../credential/issuer-statement.ts'
import { signJoinGrant } from '../join/join-grant.ts'
import { createKeySigner } from '../key/key-signer.ts'
import { generateSeed } from '../key/seed.ts'
import type { NatsAccount } from '../nats/nats-account.ts'
import { createOrderBook } from '../order/order-book.ts'
import { createKeyIssuer, defaultCredentialMs, type NameAllowance } from './key-issuer.ts'
import { createOrderLog } from './order-log.ts'
import { delegateAsOwner, joinAsIssuer, releaseAsOwner, type OwnerIssuer } from './owner-issuer.ts'

/** What a local issuer is made of. */
export interface LocalIssuerOptions {
  /** The first part of every name that it gives. */
  readonly alias: string
  readonly clock: Clock
  readonly random: Random
  /** What its anchor lets the owner be the root of; `'all'` by default. */
  readonly roots?: CapabilityScope
  /** The ceiling of its anchor. */
  readonly ceiling?: number
  readonly allow?: Readonly<Record<string, NameAllowance>>
  readonly credentialMs?: number
  /** Mints the NATS users that go with the credentials. */
  readonly natsAccount?: NatsAccount
}

/** An issuer whose owner lives in this process. */
export type LocalIssuer = OwnerIssuer

/** How long a statement lives before the owner signs it again. */
const statementMs = 24 * 3_600_000

/**
 * Creates an owner and its issuer in this process, for tests and first programs. The keys are drawn from `random` and die
 * with the process, so no production anchor can accept what it issues. Throws `identity.anchor-invalid`.
 */
export function createLocalIssuer(options: LocalIssuerOptions): LocalIssuer {
  const { alias, clock, random, allow, natsAccount } = options
  const owner = createKeySigner(generateSeed(random))
  const signer = createKeySigner(generateSeed(random))
  const anchor: Anchor = parseAnchor({
    owner: owner.did,
    alias,
    issues: [`${alias}/*`],
    roots: options.roots ?? 'all',
    ceiling: options.ceiling,
  })
  const credentialMs = options.credentialMs ?? defaultCredentialMs
  let current: { readonly token: Promise<string>; readonly issuedAtMs: number; readonly renewAtMs: number } | undefined
  const statement = (): Promise<string> => {
    const issuedAtMs = clock.now()
    // A clock that was set back makes a statement of the future, which nobody accepts.
    if (!current || issuedAtMs >= current.renewAtMs || issuedAtMs < current.issuedAtMs) {
      const lifeMs = Math.max(statementMs, credentialMs * 2)
      const token = signIssuerStatement(owner, {
        issuer: signer.did,
        names: anchor.issues,
        serves: 'all',
        calls: 'all',
        ceiling: 1000,
        ring: 0,
        maxCredentialMs: credentialMs,
        issuedAtMs,
        expiresAtMs: issuedAtMs + lifeMs,
      })
      current = { token, issuedAtMs, renewAtMs: issuedAtMs + lifeMs / 2 }
    }
    return current.token
  }
  const orders: string[] = []
  let book = createOrderBook({ anchors: createAnchors([anchor]) })
  return {
    owner: owner.did,
    issuer: signer.did,
    anchor,
    joinToken: (request) =>
      joinAsIssuer(signer, anchor, request, { clock, random, ...(natsAccount && { natsAccount }) }),
    grantJoin: (grant) => signJoinGrant(signer, grant),
    ...(natsAccount && { natsAccount }),
    delegate: (request) => delegateAsOwner(owner, request, { clock, random }),
    release: (request) => releaseAsOwner(owner, anchor, request, clock),
    ...createOrderLog({
      owner: owner.did,
      clock,
      ownerSigner: () => Promise.resolve(owner),
      signer,
      statement,
      load: () => Promise.resolve(orders),
      append(order) {
        const verdict = book.accept(order, clock.now())
        if (verdict.kind === 'allow') {
          orders.push(order)
          return Promise.resolve()
        }
        // The book takes in what denies at once, also from an order that is then not kept.
        book = createOrderBook({ anchors: createAnchors([anchor]) })
        for (const kept of orders) book.accept(kept, clock.now())
        return Promise.reject(new MeshError(verdict.code, `${verdict.reason}; the order was not kept`))
      },
    }),
    ...createKeyIssuer({
      signer,
      statement,
      clock,
      random,
      credentialMs,
      ...(allow ? { allow } : {}),
      ...(natsAccount ? { natsAccount } : {}),
    }),
  }
}
