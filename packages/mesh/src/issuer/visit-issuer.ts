import {
  joinTokenMethod,
  signAdmission,
  type Anchors,
  type KeySigner,
  type PresentedCredential,
} from '@parley/identity'
import type { Clock, Logger, Random, Transport } from '@parley/ports'
import { formatInboxPattern, formatInboxSubject, MeshError, type AgentName, type InstanceDid } from '@parley/protocol'
import { connectNats, type NatsOptions } from '@parley/transport-nats'
import type { DirectoryEntry } from '../discovery/directory.ts'
import type { MeshNode } from '../node/node.ts'
import { isMeshJoin, type NodeConfig, type NodeOptions } from '../node/node-options.ts'
import type { Outcome } from '../contract/outcome.ts'
import { issuerContract } from './issuer-contract.ts'
import type { IssuerAnswer, IssuerRequest } from './issuer-schema.ts'
import type { MeshJoin } from './mesh-join.ts'

/** What makes a node a visitor: it speaks with an admission, and knows one instance. */
export interface Visitor {
  readonly admission: PresentedCredential
  readonly issuer: DirectoryEntry
}

/** A way to ask an issuer behind a fence, until it is closed. */
export interface IssuerVisit {
  readonly admission: PresentedCredential
  /** The instance's own word that it asks. */
  readonly consent: string
  ask(request: IssuerRequest, deadlineMs: number): Promise<Outcome<IssuerAnswer>>
  close(): Promise<void>
}

/** Far longer than a visit: nobody is heard of meanwhile, and nobody lapses. */
const heartbeatMs = 60_000

/** Tells how a node visits its issuer; undefined if it has no login for that, or no broker. */
export function visitWith(
  config: NodeConfig,
  login: MeshJoin['login'],
  signer: KeySigner,
  open: VisitParts['open'],
): (() => Promise<IssuerVisit>) | undefined {
  const { issuer: join, nats } = config
  if (!login || !isMeshJoin(join) || nats === undefined) return undefined
  return () => visitIssuer({ ...config, join, login, nats, signer, open })
}

interface VisitParts {
  readonly join: MeshJoin
  readonly login: NonNullable<MeshJoin['login']>
  readonly name: AgentName
  readonly signer: KeySigner
  readonly nats: string | NatsOptions
  readonly mesh: string
  readonly anchors: Anchors
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Creates a node that is a visitor. */
  readonly open: (options: NodeOptions, visitor: Visitor) => Promise<MeshNode>
}

/**
 * Goes through the fence as the voucher of a join token, which can reach its issuer and nobody else, and asks there for the
 * instance. A node does so before it connects as itself. Rejects as `connectNats` does.
 */
async function visitIssuer(parts: VisitParts): Promise<IssuerVisit> {
  const { join, login, name, signer, mesh, anchors, clock, random, logger } = parts
  const instance = signer.did
  const nowMs = clock.now()
  const admission = await join.admit({ instance, name, nowMs })
  const consent = await signAdmission(signer, { instance, name, method: joinTokenMethod, nowMs })
  const issuer = describeIssuer(join, login.issuer, anchors, nowMs)
  const asked = typeof parts.nats === 'string' ? { servers: parts.nats } : parts.nats
  const nats = await connectNats({ ...asked, nkey: login.nkey, jwt: login.jwt })
  const transport = keepWithin(nats, mesh, login.voucher.did, login.issuer)
  const { login: _login, seat: _seat, ...visited } = join
  const node = await parts.open(
    {
      name,
      issuer: visited,
      keys: { signer: login.voucher, nkey: { nkey: '', seed: login.nkey } },
      calls: [issuerContract.issue],
      anchors: anchors.list,
      mesh,
      transport,
      heartbeatMs,
      clock,
      random,
      logger,
    },
    { admission, issuer },
  )
  await node.start()
  return {
    admission,
    consent,
    ask: (request, deadlineMs) => node.tryCall(issuerContract.issue, request, { to: join.issuer, deadlineMs }),
    close: () => node.close(),
  }
}

/** Stands for the card that a visitor cannot hear. Who answers proves itself by a credential all the same. */
function describeIssuer(join: MeshJoin, instance: InstanceDid, anchors: Anchors, nowMs: number): DirectoryEntry {
  const { capability, hash } = issuerContract.issue
  const owner = anchors.ofName(join.issuer)?.owner
  if (!owner) throw new MeshError('identity.name-not-owned', `no anchor of this node covers its issuer ${join.issuer}`)
  return {
    credential: {
      id: 'join token',
      instance,
      name: join.issuer,
      owner,
      issuer: owner,
      serves: [capability],
      calls: [],
      ceiling: 1000,
      agentKind: 'agent',
      notBeforeMs: nowMs,
      expiresAtMs: Infinity,
    },
    serves: new Map([[capability, hash]]),
    boot: '',
    announcedAtMs: nowMs,
  }
}

/** Leaves out what the fence would refuse: a visitor announces nothing and hears nothing but answers of its issuer. */
function keepWithin(transport: Transport, mesh: string, me: InstanceDid, issuer: InstanceDid): Transport {
  const asked = formatInboxSubject(mesh, issuer, me)
  const answers = formatInboxSubject(mesh, me, issuer)
  return {
    ...transport,
    maxPayloadBytes: transport.maxPayloadBytes,
    publish(subject, data) {
      if (subject === asked) transport.publish(subject, data)
    },
    subscribe: (pattern, onDelivery) =>
      pattern === formatInboxPattern(mesh, me)
        ? transport.subscribe(answers, onDelivery)
        : Promise.resolve(() => undefined),
  }
}
