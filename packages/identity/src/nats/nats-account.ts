import { encodeAccount, encodeOperator, encodeUser, type OperatorLimits } from '@nats-io/jwt'
import { systemHash } from '@parley/ports'
import {
  type AgentId,
  type BrokerRole,
  formatInstanceToken,
  formatMailboxToken,
  type InstanceDid,
  listPermissions,
  MeshError,
  scopedPlace,
  type SubjectPermissions,
} from '@parley/protocol'
import { toClaimSeconds } from '../jwt/claim.ts'
import { createNkey } from './nkey.ts'

/** The keys of a mesh on a NATS broker in operator mode, as 32-byte seeds. All are secrets. */
export interface NatsAccountSeeds {
  /** Signs accounts. Belongs offline. */
  readonly operator: Uint8Array
  /** Is the mesh; signs users of any role. Belongs offline. */
  readonly account: Uint8Array
  /** Signs users of instances and no others: the account says what they may. This one an issuer has. */
  readonly signing: Uint8Array
  /** Signs users of joiners and no others. Who makes join tokens has it, and an issuer that lets instances come back. */
  readonly joining: Uint8Array
  /** Is the server's own account. Belongs offline. */
  readonly system: Uint8Array
}

/** What the server is configured with, and what an issuer has to know. Nothing of it is secret. */
export interface NatsAccountFacts {
  readonly mesh: string
  /** Token of the operator. */
  readonly operator: string
  readonly account: { readonly id: string; readonly token: string }
  readonly system: { readonly id: string; readonly token: string }
}

/** Who gets a user token of an instance, and until when. */
export interface NatsUserRequest {
  /** The public user key that the instance made itself. */
  readonly nkey: string
  readonly instance: InstanceDid
  readonly agent: AgentId
  /** Wall-clock milliseconds: after it the server closes the connection. Cut to whole seconds. */
  readonly expiresAtMs: number
}

/** Who gets a user token of a joiner, and until when. */
export interface NatsJoinerRequest {
  /** The public user key that goes with the join key. */
  readonly nkey: string
  /** The did:key of the join key, as which it asks. */
  readonly key: InstanceDid
  /** The instance at which it asks. */
  readonly issuer: InstanceDid
  /** Wall-clock milliseconds: after it the server closes the connection. Cut to whole seconds. */
  readonly expiresAtMs: number
}

/** Makes the NATS user tokens that go with credentials and join tokens. */
export interface NatsAccount {
  readonly mesh: string
  /**
   * Makes the user token of one instance. It permits what the account says of instances, and nothing else. Rejects with
   * `identity.issuer-unavailable` without the key for it.
   */
  mintUser(request: NatsUserRequest): Promise<string>
  /** Makes the user token of one joiner in the same way; absent without the key for it. */
  readonly mintJoiner?: (request: NatsJoinerRequest) => Promise<string>
}

const unlimited: OperatorLimits = {
  subs: -1,
  data: -1,
  payload: -1,
  imports: -1,
  exports: -1,
  wildcards: true,
  conn: -1,
  leaf: -1,
}

/**
 * Signs the tokens of an operator, its system account and the account of one mesh. The account gives its two signing
 * keys a scope each: users under them get exactly the permissions of an instance or of a joiner, filled in by the server, so
 * who holds such a key cannot give more. Rejects with `transport.subject-invalid` for a mesh that cannot stand in a subject.
 */
export async function signNatsAccount(mesh: string, seeds: NatsAccountSeeds): Promise<NatsAccountFacts> {
  const operator = createNkey('O', seeds.operator)
  const account = createNkey('A', seeds.account)
  const system = createNkey('A', seeds.system)
  const scopes = (
    [
      ['instance', seeds.signing],
      ['joiner', seeds.joining],
    ] as const
  ).map(([role, seed]) => ({
    kind: 'user_scope' as const,
    key: createNkey('A', seed).nkey,
    role,
    template: {
      ...toClaims(listPermissions(role, { mesh, ...scopedPlace })),
      subs: -1,
      data: -1,
      payload: -1,
      bearer_token: false,
    },
  }))
  const byOperator = { signer: operator.seed }
  return {
    mesh,
    operator: await encodeOperator('parley', operator.seed, { system_account: system.nkey }),
    account: {
      id: account.nkey,
      token: await encodeAccount(mesh, account.nkey, { limits: unlimited, signing_keys: scopes }, byOperator),
    },
    system: {
      id: system.nkey,
      token: await encodeAccount('system', system.nkey, { limits: unlimited }, byOperator),
    },
  }
}

/** Creates what users are minted with, over those signing keys of the account that are at hand. */
export function createNatsAccount(
  facts: NatsAccountFacts,
  keys: Partial<Pick<NatsAccountSeeds, 'signing' | 'joining'>>,
): NatsAccount {
  const mint = (
    seed: Uint8Array,
    user: { readonly nkey: string; readonly me: InstanceDid; readonly tag: string; readonly expiresAtMs: number },
  ): Promise<string> =>
    encodeUser(
      formatInstanceToken(user.me),
      user.nkey,
      facts.account.id,
      { tags: [user.tag] },
      { signer: createNkey('A', seed).seed, scopedUser: true, exp: toClaimSeconds(user.expiresAtMs) },
    )
  const { signing, joining } = keys
  return {
    mesh: facts.mesh,
    async mintUser({ nkey, instance, agent, expiresAtMs }) {
      if (!signing)
        throw new MeshError('identity.issuer-unavailable', `the signing key of ${facts.account.id} is not here`)
      return mint(signing, { nkey, me: instance, tag: `agent:${formatMailboxToken(systemHash, agent)}`, expiresAtMs })
    },
    ...(joining && {
      mintJoiner: ({ nkey, key, issuer, expiresAtMs }: NatsJoinerRequest) =>
        mint(joining, { nkey, me: key, tag: `issuer:${formatInstanceToken(issuer)}`, expiresAtMs }),
    }),
  }
}

/**
 * Makes a user token of another role than `instance` and `joiner`, for instance for whoever watches the services of the mesh. It takes
 * the key of the account itself. Rejects with `identity.issuer-refused` for a seed that is not this account's.
 */
export async function mintNatsUser(
  facts: NatsAccountFacts,
  account: Uint8Array,
  user: {
    readonly nkey: string
    readonly role: Exclude<BrokerRole, 'instance' | 'joiner'>
    readonly expiresAtMs: number
  },
): Promise<string> {
  const { nkey, seed } = createNkey('A', account)
  if (nkey !== facts.account.id)
    throw new MeshError('identity.issuer-refused', `the key of ${nkey} does not sign users of ${facts.account.id}`)
  const permissions = toClaims(listPermissions(user.role, { mesh: facts.mesh }))
  return encodeUser(user.role, user.nkey, seed, permissions, { exp: toClaimSeconds(user.expiresAtMs) })
}

function toClaims({ publish, subscribe }: SubjectPermissions): {
  readonly pub: { readonly allow: string[] }
  readonly sub: { readonly allow: string[] }
} {
  return { pub: { allow: [...publish] }, sub: { allow: [...subscribe] } }
}
