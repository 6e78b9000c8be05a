import { join } from 'node:path'
import { jwtAuthenticator, nkeyAuthenticator, type Authenticator } from '@nats-io/transport-node'
import {
  createKeySigner,
  createNatsAccount,
  generateSeed,
  generateUserNkey,
  mintNatsUser,
  signNatsAccount,
  type NatsAccountFacts,
  type NatsAccountSeeds,
  type Nkey,
} from '@parley/identity'
import { findNatsServer, startNatsServer, type RunningNatsServer } from '@parley/nats-server'
import {
  createSystemRandom,
  systemHash,
  type Delivery,
  type Random,
  type Transport,
  type TransportStatus,
} from '@parley/ports'
import {
  formatInstanceToken,
  formatMailboxToken,
  listPermissions,
  type AgentId,
  type InstanceDid,
} from '@parley/protocol'
import { formatOperatorConfig, formatStaticConfig } from '@parley/transport-nats'
import { onTestFinished } from 'vitest'

/** Where a nats-server is found. */
const cacheDir = join(import.meta.dirname, '../../.parley/cache')
/** Keys of the members are drawn here. */
export const random: Random = createSystemRandom()
/** The mesh behind every fence here. */
export const mesh = 'main'
/** One hour in milliseconds. */
export const hourMs = 3_600_000

/** Starts a server with a part of a configuration. */
export async function startServer(config: string): Promise<RunningNatsServer> {
  return startNatsServer({ binary: await findNatsServer({ env: process.env, cacheDir }), config })
}

/** How somebody logs in. */
export interface Login {
  readonly nkey: string
  readonly jwt?: string
}

/** Writes a login as options of the plain NATS client. */
export function toClientLogin({ nkey, jwt }: Login): { readonly authenticator: Authenticator } {
  const seed = new TextEncoder().encode(nkey)
  return { authenticator: jwt === undefined ? nkeyAuthenticator(seed) : jwtAuthenticator(jwt, seed) }
}

/** An instance as the broker knows it: keys, and how it logs in. */
export interface Member {
  readonly did: InstanceDid
  readonly key: Nkey
  readonly agent: AgentId
  readonly mailbox: string
  readonly login: Login
}

const owner = createKeySigner(generateSeed(random)).did

/** Makes the keys of an instance that cannot log in yet. */
export function createMember(name: string): Omit<Member, 'login'> {
  const agent = { owner, name: `acme/${name}` } as const
  const { did } = createKeySigner(generateSeed(random))
  return { did, key: generateUserNkey(random), agent, mailbox: formatMailboxToken(systemHash, agent) }
}

/** A server with a fence, and whoever may pass it. */
export interface Fence {
  readonly server: RunningNatsServer
  readonly left: Member
  readonly right: Member
  readonly operator: Login
  readonly monitor: Login
}

/** Starts a server that lists its users. */
export async function startStaticFence(): Promise<Fence> {
  const [left, right] = [createMember('left'), createMember('right')]
  const [tap, watch] = [generateUserNkey(random), generateUserNkey(random)]
  const config = formatStaticConfig([
    ...[left, right].map(({ agent, key, did, mailbox }) => ({
      name: agent.name,
      nkey: key.nkey,
      permissions: listPermissions('instance', { mesh, me: formatInstanceToken(did), agent: mailbox }),
    })),
    { name: 'operator', nkey: tap.nkey, permissions: listPermissions('operator', { mesh }) },
    { name: 'monitor', nkey: watch.nkey, permissions: listPermissions('monitor', { mesh }) },
  ])
  const withLogin = (member: Omit<Member, 'login'>): Member => ({ ...member, login: { nkey: member.key.seed } })
  return {
    server: await startServer(config),
    left: withLogin(left),
    right: withLogin(right),
    operator: { nkey: tap.seed },
    monitor: { nkey: watch.seed },
  }
}

/** The keys of the account behind every fence of an operator. */
export const seeds: NatsAccountSeeds = {
  operator: generateSeed(random),
  account: generateSeed(random),
  signing: generateSeed(random),
  joining: generateSeed(random),
  system: generateSeed(random),
}

/** Makes an instance and its user token. */
export async function enrol(facts: NatsAccountFacts, name: string, lifeMs = hourMs): Promise<Member> {
  const member = createMember(name)
  const jwt = await createNatsAccount(facts, seeds).mintUser({
    nkey: member.key.nkey,
    instance: member.did,
    agent: member.agent,
    expiresAtMs: Date.now() + lifeMs,
  })
  return { ...member, login: { nkey: member.key.seed, jwt } }
}

/** Starts a server in operator mode. */
export async function startOperatorFence(): Promise<Fence & { readonly facts: NatsAccountFacts }> {
  const facts = await signNatsAccount(mesh, seeds)
  const logIn = async (role: 'operator' | 'monitor'): Promise<Login> => {
    const { nkey, seed } = generateUserNkey(random)
    return {
      nkey: seed,
      jwt: await mintNatsUser(facts, seeds.account, { nkey, role, expiresAtMs: Date.now() + hourMs }),
    }
  }
  return {
    facts,
    server: await startServer(formatOperatorConfig(facts)),
    left: await enrol(facts, 'left'),
    right: await enrol(facts, 'right'),
    operator: await logIn('operator'),
    monitor: await logIn('monitor'),
  }
}

/** Resolves when the transport has, or gets, a status. */
export function reach(transport: Transport, wanted: TransportStatus): Promise<void> {
  return new Promise((resolve) => {
    const check = (status: TransportStatus): void => {
      if (status !== wanted) return
      stop()
      resolve()
    }
    const stop = transport.onStatus(check)
    check(transport.status())
  })
}

/** Collects what a subscription is given, until the test ends. */
export async function collect(transport: Transport, pattern: string): Promise<readonly Delivery[]> {
  const seen: Delivery[] = []
  onTestFinished(await transport.subscribe(pattern, (delivery) => seen.push(delivery)))
  return seen
}
