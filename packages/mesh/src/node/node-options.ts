import {
  createSystemClock,
  createSystemRandom,
  silentLogger,
  type BodyStore,
  type Clock,
  type Issuer,
  type Logger,
  type Random,
  type Store,
  type Transport,
} from '@parley/ports'
import { isAgentName, limits, MeshError, type AgentId, type AgentName, type Did } from '@parley/protocol'
import {
  createAnchors,
  defaultOrderStaleness,
  type Anchor,
  type Anchors,
  type InstanceKeys,
  type OrderNews,
  type OrderStaleness,
  type resolveAnchors,
} from '@parley/identity'
import { compilePolicy, type PolicyForm, type PolicyPart, type PolicySet } from '@parley/policy'
import type { BulkheadOptions, ReliabilityOptions } from '@parley/reliability'
import type { NatsOptions } from '@parley/transport-nats'
import type { Contract, ContractCapability } from '../contract/contract.ts'
import { maxCapabilities } from '../discovery/announcement.ts'
import type { MeshJoin } from '../issuer/mesh-join.ts'
import { defaultKeepBodiesMs } from '../policy/decision-bodies.ts'
import type { KeptDecisions } from '../policy/decision-keeper.ts'
import type { ContractEvent } from '../contract/event.ts'
import type { NodeRecord } from './node.ts'
import { maxOrderOwners } from '../orders/order-message.ts'
import { resolveTrustOptions, type NodeTrustConfig, type NodeTrustOptions } from '../trust/trust-options.ts'

/** An issuer that may bring its own anchor and an in-process bus, as `localIssuer` does. */
export interface NodeIssuer extends Issuer {
  readonly anchor?: Anchor
  readonly connect?: () => Transport
  /** Tells the orders of its owner after a sequence, and a fresh head; the node asks twice a second. */
  readonly orderNews?: (afterSequence: number) => Promise<OrderNews>
}

/** Resolves DIDs to documents, as `did-resolver` has it. `createWebResolver` makes one. */
export type DidResolver = Parameters<typeof resolveAnchors>[1]

/** Lists the owners that options accept: those given, else the issuer's own. */
export function listAnchors({ anchors, issuer }: Pick<NodeOptions, 'anchors' | 'issuer'>): readonly Anchor[] {
  if (anchors) return anchors
  if (isMeshJoin(issuer)) return issuer.anchors
  return issuer.anchor ? [issuer.anchor] : []
}

/** Tells whether an issuer lives on the mesh and is asked through the node itself. */
export function isMeshJoin(issuer: NodeIssuer | MeshJoin): issuer is MeshJoin {
  return 'admit' in issuer
}

/** A record of the audit log as it was appended. */
export type AppendedRecord = { readonly seq: number; readonly atMs: number; readonly kind: string } & NodeRecord

/** What a caller of `createNode` writes. */
export interface NodeOptions {
  /** The agent that this node is an instance of, for instance `acme/flights`. */
  readonly name: string
  /** Who gives it its credential: an issuer, or with `joinMesh` one on the mesh, whose token names broker, mesh and anchors too. */
  readonly issuer: NodeIssuer | MeshJoin
  /** Contracts that it serves. Its credential is asked for exactly these capabilities. */
  readonly serves?: readonly Contract[]
  /** Capabilities that it calls. */
  readonly calls?: readonly ContractCapability[]
  /** Events of contracts that it listens to. Those of the contracts that it serves, it may emit. */
  readonly listens?: readonly ContractEvent[]
  /** Owners that it accepts; default: the issuer's own anchor. */
  readonly anchors?: readonly Anchor[]
  /** Fetches the keys of owners that are a did:web, at the start and every hour; by default from the public internet. */
  readonly didResolver?: DidResolver
  /** The tenant: one set of anchors on one bus. Default `main`. */
  readonly mesh?: string
  /** A NATS URL, or how to connect. Without it and `transport`, the issuer's in-process bus. */
  readonly nats?: string | NatsOptions | undefined
  readonly transport?: Transport
  /**
   * Keys that were made beforehand, for a broker that lists its users, or whose signer is elsewhere, for instance in an HSM;
   * default fresh ones. They belong to one process at a time: an instance that meets its own key elsewhere stops serving.
   */
  readonly keys?: InstanceKeys
  /** Path of the SQLite file for log, ledger and sagas; default in memory, gone with the process. */
  readonly data?: string
  readonly store?: Store
  /**
   * Policy documents, as text or as engines of other languages; each narrows what credentials grant. Default none:
   * `parley:credentials-only` and `parley:defaults`.
   */
  readonly policy?: readonly PolicyPart[]
  /**
   * The owner, by the alias or the DID of an anchor, who has to release what `policy` and `reloadPolicy` put in force, engines
   * included, under a number that only grows. Default nobody: whoever configures the node decides.
   */
  readonly policySignedBy?: string
  /** The release of `policy`, as `parley policy sign` prints it. */
  readonly policyRelease?: string
  /** Documents to try: they decide every hop too, and what they would decide otherwise is recorded. They have no effect. */
  readonly shadowPolicy?: readonly PolicyPart[]
  /**
   * Records what every decision read, so that `parley policy explain --hop` can decide it again: bodies by their digests, or
   * with `bodies` in the store as well. Default nothing.
   */
  readonly keepDecisions?: KeptDecisions
  /** Milliseconds that a body is kept since a decision read it last; default 30 days, `Infinity` for ever. */
  readonly keepDecisionBodiesMs?: number
  /** Forms of documents beside `parley/v1`, for `policy` and for what is reloaded. Default none. */
  readonly policyForms?: readonly PolicyForm[]
  /** Objectives by capability; default 99 % success. */
  readonly objectives?: NonNullable<ReliabilityOptions['objectives']>
  /** Orders of owners (revoke, kill) to hold from the start. */
  readonly orders?: readonly string[]
  /**
   * For how long an owner's last word on its orders is good enough, by risk, in milliseconds, where its anchor says
   * `orders: 'required'`. Default: read 900,000, reversible 300,000, irreversible and administrative 30,000.
   */
  readonly orderStalenessMs?: Partial<OrderStaleness>
  /** Milliseconds between announcements; an instance lapses after three. Default 2,000. */
  readonly heartbeatMs?: number
  /** Calls served at the same time; more are refused. One caller gets three quarters of them at most. Default 1,024. */
  readonly maxServing?: number
  /** Calls in flight to one peer, and to one capability of it. */
  readonly bulkheads?: BulkheadOptions
  /** Envelopes under one signature at most, 1 to 64; default 64. */
  readonly maxBundleEnvelopes?: number
  /** Carries bodies that are too large for an envelope; callers and callees have to share it. Default none. */
  readonly bodies?: BodyStore
  /** Bytes that a body by reference may have, on either way. Default 16 MiB. */
  readonly maxReferencedBytes?: number
  /** How this node trusts, and with whom it shares what it saw. Default: it enforces, and keeps its evidence to itself. */
  readonly trust?: NodeTrustOptions
  /** Encrypt the body of every request and reply, and take none that is not. Default: where the contract asks for it. */
  readonly sealBodies?: boolean
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Logger
  /** Sees every audit record as it is appended. */
  readonly onRecord?: (record: AppendedRecord) => void
}

/** The options with everything decided and checked. */
export interface NodeConfig {
  readonly name: AgentName
  readonly mesh: string
  readonly issuer: NodeIssuer | MeshJoin
  readonly nats?: string | NatsOptions
  readonly anchors: Anchors
  readonly serves: readonly Contract[]
  readonly calls: readonly ContractCapability[]
  readonly listens: readonly ContractEvent[]
  readonly policy: PolicySet
  readonly policySignedBy: Did | undefined
  readonly shadowPolicy: PolicySet | undefined
  readonly policyForms: readonly PolicyForm[]
  readonly keepDecisions: KeptDecisions | undefined
  readonly keepDecisionBodiesMs: number
  readonly objectives: NonNullable<ReliabilityOptions['objectives']>
  readonly orders: readonly string[]
  readonly orderStalenessMs: OrderStaleness
  readonly heartbeatMs: number
  readonly maxServing: number
  readonly bulkheads: BulkheadOptions
  readonly maxBundleEnvelopes: number
  readonly bodies: BodyStore | undefined
  readonly maxReferencedBytes: number
  readonly sealBodies: boolean
  readonly trust: NodeTrustConfig
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Often enough to notice a dead instance within seconds, seldom enough to cost nothing. */
const defaultHeartbeatMs = 2_000
/** Far above what one event loop serves at once, far below what exhausts memory. */
const defaultMaxServing = 1_024
/** Eight of them at once still fit into a small machine. */
const defaultMaxReferencedBytes = 16_777_216

/** Checks and completes options. Throws one `mesh.config-invalid` that lists every problem with its path. */
export function resolveNodeConfig(options: NodeOptions): NodeConfig {
  const problems: string[] = []
  const attempt = <Value>(path: string, make: () => Value): Value | undefined => {
    try {
      return make()
    } catch (error) {
      problems.push(`${path}: ${error instanceof Error ? error.message : 'is invalid'}`)
      return undefined
    }
  }
  const { issuer } = options
  const join = isMeshJoin(issuer) ? issuer : undefined
  const own = isMeshJoin(issuer) ? undefined : issuer
  const nats = options.nats ?? (options.transport ? undefined : join?.nats)
  const { name, mesh = join?.mesh ?? 'main', heartbeatMs = defaultHeartbeatMs } = options
  const { maxServing = defaultMaxServing, maxReferencedBytes = defaultMaxReferencedBytes } = options
  if (!isAgentName(name))
    problems.push(`name: ${JSON.stringify(name)} is not of the form owner/agent in a-z, 0-9 and -`)
  if (!/^[a-z0-9_-]{1,64}$/.test(mesh))
    problems.push(`mesh: ${JSON.stringify(mesh)} is not 1 to 64 of a-z, 0-9, - and _`)
  if (!(heartbeatMs >= 100)) problems.push('heartbeatMs: must be at least 100')
  if (!(maxReferencedBytes >= 0)) problems.push('maxReferencedBytes: must not be negative')
  if (!(maxServing >= 1)) problems.push('maxServing: must be at least 1')
  const { maxBundleEnvelopes = limits.frameEnvelopes } = options
  if (!(Number.isInteger(maxBundleEnvelopes) && maxBundleEnvelopes >= 1 && maxBundleEnvelopes <= limits.frameEnvelopes))
    problems.push(`maxBundleEnvelopes: must be 1 to ${String(limits.frameEnvelopes)}`)
  for (const [risk, ms] of Object.entries(options.orderStalenessMs ?? {}))
    if (!(ms > 0)) problems.push(`orderStalenessMs.${risk}: must be above 0`)
  if (options.transport && options.nats !== undefined) problems.push('transport, nats: give one of them, not both')
  if (!options.transport && nats === undefined && !own?.connect)
    problems.push('nats: is missing; this issuer brings no in-process bus')
  if (options.store && options.data !== undefined) problems.push('store, data: give one of them, not both')
  const listed = listAnchors(options)
  if (listed.length === 0) problems.push('anchors: name at least the owner of this node')
  if (listed.length > maxOrderOwners) problems.push(`anchors: ${String(maxOrderOwners)} owners at most`)
  const anchors = attempt('anchors', () => createAnchors(listed))
  const { policyForms = [] } = options
  const { shadowPolicy: tried } = options
  const shadowPolicy = tried && attempt('shadowPolicy', () => compilePolicy(tried, { forms: policyForms }))
  const trust = attempt('trust', () => resolveTrustOptions(options.trust))
  const policy = attempt('policy', () => compilePolicy(options.policy ?? [], { forms: policyForms }))
  const signedBy = options.policySignedBy
  const policySignedBy = listed.find(({ alias, owner }) => alias === signedBy || owner === signedBy)?.owner
  if (signedBy !== undefined && policySignedBy === undefined)
    problems.push(`policySignedBy: no anchor has the alias or owner ${JSON.stringify(signedBy)}`)
  const capabilities = (options.serves ?? []).flatMap(({ capabilities }) =>
    capabilities.map(({ capability }) => capability),
  )
  for (const capability of new Set(capabilities.filter((one, at) => capabilities.indexOf(one) !== at)))
    problems.push(`serves: ${capability} is in two contracts`)
  if (capabilities.length > maxCapabilities) problems.push(`serves: ${String(maxCapabilities)} capabilities at most`)
  if (problems.length > 0 || !anchors || !policy || !trust)
    throw new MeshError('mesh.config-invalid', `the node cannot be created:\n  ${problems.join('\n  ')}`, {
      details: { problems },
    })
  const random = options.random ?? createSystemRandom()
  return {
    name: name as AgentName,
    mesh,
    issuer,
    ...(nats === undefined ? {} : { nats }),
    anchors,
    serves: options.serves ?? [],
    calls: options.calls ?? [],
    listens: options.listens ?? [],
    policy,
    policySignedBy,
    policyForms,
    keepDecisions: options.keepDecisions,
    keepDecisionBodiesMs: options.keepDecisionBodiesMs ?? defaultKeepBodiesMs,
    shadowPolicy,
    objectives: options.objectives ?? [],
    orders: options.orders ?? [],
    orderStalenessMs: { ...defaultOrderStaleness, ...options.orderStalenessMs },
    heartbeatMs,
    maxServing,
    bulkheads: options.bulkheads ?? {},
    maxBundleEnvelopes,
    bodies: options.bodies,
    maxReferencedBytes,
    sealBodies: options.sealBodies ?? false,
    trust,
    clock: options.clock ?? createSystemClock(),
    random,
    logger: options.logger ?? silentLogger,
  }
}

/** Finds the owner of a name under the anchors of a configuration; undefined if none covers it. */
export function resolveName(config: Pick<NodeConfig, 'anchors'>, name: AgentName): AgentId | undefined {
  const anchor = config.anchors.ofName(name)
  return anchor && { owner: anchor.owner, name }
}
