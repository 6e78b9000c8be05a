import type { Clock, CredentialRequest, IssuedCredential, Issuer, Random, Signer } from '@parley/ports'
import { formatId, isAgentName, isCapabilityPattern, MeshError } from '@parley/protocol'
import { findBeyondScope } from '../credential/capability-scope.ts'
import { type Credential, signCredential } from '../credential/credential.ts'
import { decodeIssuerStatement } from '../credential/issuer-statement.ts'
import { namePatternsCover } from '../credential/name-pattern.ts'
import type { Assurance } from '../credential/sign-in.ts'
import { decideCredentialTerms } from '../credential/verify-credential.ts'
import { isJwtSigned, type OwnerKeys } from '../jwt/verify-jwt.ts'
import { isInstanceDid } from '../key/did-key.ts'
import { quote } from '../key/quote.ts'
import type { NatsAccount } from '../nats/nats-account.ts'
import { isUserNkey } from '../nats/nkey.ts'

/** What an issuer gives to one name: the most that may be asked for, and the facts that it adds. */
export interface NameAllowance {
  readonly serves: readonly string[]
  readonly calls: readonly string[]
  readonly ceiling?: number
  readonly ring?: number
  /** The name is a person's, who signed in so strongly just now; without it, it is a program's. */
  readonly human?: Assurance
  readonly ledger?: string
}

/** What an issuer that holds its key needs. */
export interface KeyIssuerOptions {
  readonly signer: Signer
  /** Returns the owner's current statement about this issuer. Asked at every issue, so that a renewed one is seen. */
  statement(): Promise<string>
  /** The keys of an owner that is a did:web. */
  readonly ownerKeys?: OwnerKeys
  readonly clock: Clock
  readonly random: Random
  /** Limits who gets what, by name; a name that is not in it gets nothing. Without it the statement alone decides. */
  readonly allow?: Readonly<Record<string, NameAllowance>>
  /** Life of a credential, 15 minutes by default, never more than the statement lets. */
  readonly credentialMs?: number
  /** Mints the NATS user that goes with a credential, where the request names an `nkey`. */
  readonly natsAccount?: NatsAccount
}

/** Short enough that a stolen credential is soon worthless, long enough to outlive an issuer's restart. */
export const defaultCredentialMs: number = 15 * 60_000

/**
 * Creates an issuer over its key and its owner's statement. It gives nothing that the statement would not make valid.
 * It does not find out who asks: whoever can call it must be allowed to. Rejects with `identity.issuer-refused`, and
 * with `identity.issuer-unavailable` while there is no valid statement.
 */
export function createKeyIssuer(options: KeyIssuerOptions): Issuer {
  const { signer, clock, random, allow, natsAccount } = options
  return {
    async issue(request: CredentialRequest): Promise<IssuedCredential> {
      const nowMs = clock.now()
      const token = await options.statement()
      const verdict = decodeIssuerStatement(token, nowMs, options.ownerKeys)
      if (verdict.kind === 'deny' || !isJwtSigned(verdict.decoded.jwt)) {
        const why = verdict.kind === 'deny' ? verdict.reason : 'it is not signed by its owner'
        throw new MeshError('identity.issuer-unavailable', `the statement of this issuer cannot be used: ${why}`)
      }
      const { statement } = verdict.decoded
      if (statement.issuer !== signer.did) {
        throw new MeshError(
          'identity.issuer-unavailable',
          `the statement is about ${statement.issuer}, not ${signer.did}`,
        )
      }
      const notBeforeMs = Math.floor(nowMs / 1000) * 1000
      const lifeMs = Math.min(options.credentialMs ?? defaultCredentialMs, statement.maxCredentialMs)
      const credential: Credential = {
        ...parseRequest(request, statement.names, allow, nowMs),
        id: formatId(random.bytes(16)),
        notBeforeMs,
        expiresAtMs: notBeforeMs + lifeMs,
      }
      const terms = decideCredentialTerms(credential, statement)
      if (terms.kind === 'deny') throw new MeshError('identity.issuer-refused', terms.reason)
      const expiresAtMs = Math.min(credential.expiresAtMs, statement.expiresAtMs)
      const { name, instance, nkey } = credential
      const agent = { owner: verdict.decoded.owner, name }
      return {
        credential: await signCredential(signer, credential),
        statement: token,
        expiresAtMs,
        ...(natsAccount && nkey !== undefined
          ? { natsUser: await natsAccount.mintUser({ nkey, instance, agent, expiresAtMs }) }
          : {}),
      }
    },
  }
}

/** Checks a request, which may come from anywhere, and adds what the allowance says. */
function parseRequest(
  request: CredentialRequest,
  names: readonly string[],
  allow: Readonly<Record<string, NameAllowance>> | undefined,
  nowMs: number,
): Omit<Credential, 'id' | 'notBeforeMs' | 'expiresAtMs'> {
  const { name, instance, serves, calls, nkey } = request
  if (!isAgentName(name) || !namePatternsCover(names, name)) {
    throw refused(`${quote(name)} is not a name that this issuer gives`)
  }
  if (!isInstanceDid(instance)) throw refused(`${quote(instance)} is not the did:key of an instance`)
  if (nkey !== undefined && !isUserNkey(nkey)) throw refused(`${quote(nkey)} is not the public key of a NATS user`)
  for (const pattern of [...serves, ...calls]) {
    if (!isCapabilityPattern(pattern)) throw refused(`${quote(pattern)} is not a capability pattern`)
  }
  const asked = { name, instance, serves, calls, ...(nkey === undefined ? {} : { nkey }) }
  if (!allow) return { ...asked, agentKind: 'agent' }
  const allowance = Object.hasOwn(allow, name) ? allow[name] : undefined
  if (!allowance) throw refused(`${name} is not among the names that this issuer is limited to`)
  for (const verb of ['serves', 'calls'] as const) {
    const extra = findBeyondScope(allowance[verb], request[verb])
    if (extra !== undefined) throw refused(`${name} asks for more than it may have: ${verb} ${extra}`)
  }
  const { ceiling, ring, ledger, human } = allowance
  return {
    ...asked,
    ...(human === undefined
      ? { agentKind: 'agent' as const }
      : { agentKind: 'human' as const, signIn: { assurance: human, atMs: nowMs } }),
    ...(ceiling === undefined ? {} : { ceiling }),
    ...(ring === undefined ? {} : { ring }),
    ...(ledger === undefined ? {} : { ledger }),
  }
}

function refused(why: string): MeshError {
  return new MeshError('identity.issuer-refused', why)
}
