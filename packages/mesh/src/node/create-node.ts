import type { Store, Transport, Unsubscribe } from '@parley/ports'
import { openAuditLog, type AuditLog } from '@parley/audit'
import { generateInstanceKeys, verifySignature } from '@parley/identity'
import { MeshError } from '@parley/protocol'
import { openSqliteStore } from '@parley/store-sqlite'
import { keepAnchorsFresh, resolveOptions } from '../orders/anchor-keys.ts'
import { restoreBreakers } from '../calling/breaker-memory.ts'
import { createCaller } from '../calling/caller.ts'
import { connectBus, loginKeyOf } from './connect-bus.ts'
import { createParts } from './create-parts.ts'
import { endAll } from './end-all.ts'
import { createEmitter } from '../events/emitter.ts'
import type { Listener } from '../events/happened.ts'
import { createEventLog } from './event-log.ts'
import { describeService } from '../serving/describe-service.ts'
import { addListener, type Listening } from '../events/listening.ts'
import type { MeshNode } from './node.ts'
import type { Door } from '../issuer/door.ts'
import { issuerParts } from '../issuer/issuer-parts.ts'
import { createMeshIssuer } from '../issuer/mesh-issuer.ts'
import { visitWith, type Visitor } from '../issuer/visit-issuer.ts'
import {
  isMeshJoin,
  resolveName,
  resolveNodeConfig,
  type DidResolver,
  type NodeConfig,
  type NodeOptions,
} from './node-options.ts'
import { createNodePolicy } from '../policy/create-node-policy.ts'
import type { NodeParts } from './node-parts.ts'
import { createOwnCredential, type OwnCredential } from './own-credential.ts'
import { createPolicyInForce } from '../policy/policy-in-force.ts'
import { policyDoor } from '../policy/policy-door.ts'
import { createInboundPipeline, createReceiver } from '../pipeline/inbound.ts'
import { standardPipelines, type Pipelines } from './pipelines.ts'
import type { Served } from '../serving/served.ts'
import { registerServes } from '../serving/register-serves.ts'
import { listGrants } from './list-grants.ts'
import { listPatterns } from './list-patterns.ts'
import { listProviders } from '../calling/list-providers.ts'
import type { OutcomeListener } from '../mailbox/mailed-outcome.ts'
import { settledWithin } from './settled-within.ts'
import { tellHealth } from './tell-health.ts'
import { createAccountability } from '../trust/accountability.ts'
import { createDeadLetters } from '../dead-letters/create-dead-letters.ts'
import type { InboundHop } from '../pipeline/inbound-hop.ts'
import type { Stage } from '../pipeline/stage.ts'
import { createNodeTrust } from '../trust/create-node-trust.ts'
import { openTrust } from '../trust/open-trust.ts'

/** How long `close` waits for calls in flight, in milliseconds. */
const drainOnCloseMs = 1_000
/** How long an instance has to say what it serves, in milliseconds. */
const defaultCardMs = 2_000
/** How long `close` waits for cancelled calls to be recorded, in milliseconds. */
const lastWordsMs = 1_000

/**
 * Creates an instance of an agent, with a fresh key of its own. It is silent until `start`. Throws `mesh.config-invalid`
 * with every problem of the options, and what the store says when its file cannot be opened.
 */
export async function createNode(options: NodeOptions): Promise<MeshNode> {
  return assembleNode(options, standardPipelines)
}

/** What a node is besides an agent: an issuer has a door, a visitor wants to go through one. */
export interface NodeRole {
  readonly door?: Door
  readonly visitor?: Visitor
}

/** Creates a node with given pipelines. */
export async function assembleNode(given: NodeOptions, pipelines: Pipelines, role: NodeRole = {}): Promise<MeshNode> {
  const { options, resolver } = await resolveOptions(given)
  const config = resolveNodeConfig(options)
  const store = options.store ?? (await openSqliteStore({ path: options.data ?? ':memory:', clock: config.clock }))
  return createLife(options, config, store, pipelines, { ...role, ...(resolver && { resolver }) })
}

/** What exists only between `start` and `close`. */
interface Running {
  readonly parts: NodeParts
  readonly transport: Transport
  readonly audit: AuditLog
  readonly stop: () => Promise<void>
  readonly request: readonly Stage<InboundHop>[]
}

function createLife(
  options: NodeOptions,
  config: NodeConfig,
  store: Store,
  pipelines: Pipelines,
  { door, visitor, resolver }: NodeRole & { readonly resolver?: DidResolver },
): MeshNode {
  const { name, clock, random, logger } = config
  const join = isMeshJoin(config.issuer) ? config.issuer : undefined
  const login = options.transport ? undefined : join?.login
  const keys = options.keys ?? join?.seat?.keys ?? generateInstanceKeys(random)
  const { signer } = keys
  const instance = signer.did
  const served = new Map<string, Served>()
  const listening = new Map<string, Listening>()
  const outcomeListeners: OutcomeListener[] = []
  const policy = createPolicyInForce(config.policy, config.policyForms)
  let running: Running | undefined
  let starting: Promise<void> | undefined
  let drained = Promise.resolve()
  let ended: Promise<void> | undefined
  let state: 'created' | 'started' | 'draining' | 'conflicted' | 'closed' = 'created'
  const active = (): NodeParts | undefined => (state === 'started' || state === 'draining' ? running?.parts : undefined)
  const caller = {
    ...createCaller(active, pipelines.outbound, { random, clock }),
    emit: createEmitter(active, { random }),
  }

  const open = async (): Promise<Running> => {
    const unserved = config.serves
      .flatMap(({ capabilities }) => capabilities)
      .filter(({ capability }) => !served.has(capability))
    if (unserved.length > 0)
      throw new MeshError(
        'mesh.config-invalid',
        `nothing serves ${unserved.map(({ capability }) => capability).join(', ')}: call serve before start`,
      )
    const undo: (() => Promise<void> | void)[] = []
    try {
      const bus = { ...options, nats: config.nats }
      const nkey = loginKeyOf(bus, keys)
      /** Filled once joined together; the issuer of a newcomer is asked through them. */
      const joined: { parts?: NodeParts } = {}
      const own: OwnCredential = createOwnCredential({
        issuer: isMeshJoin(config.issuer)
          ? createMeshIssuer({
              join: config.issuer,
              name,
              instance,
              clock,
              own: () => own,
              tryCall: createCaller(() => joined.parts && issuerParts(joined.parts), pipelines.outbound, {
                random,
                clock,
              }).tryCall,
              visit: visitWith(config, login, signer, (asking, as) =>
                assembleNode(asking, standardPipelines, { visitor: as }),
              ),
            })
          : config.issuer,
        anchors: config.anchors,
        clock,
        logger,
        name,
        instance,
        ...listGrants(config),
        ...(nkey === undefined ? {} : { nkey }),
      })
      undo.push(own.stop)
      own.onRenewed(() => joined.parts?.presence.announceSoon())
      // Before the bus, since a fenced broker lets nobody in without what its issuer gives; a newcomer has to ask over it.
      if (!join || login) await own.start()
      const { transport, nats } = await connectBus(bus, own, keys, logger)
      undo.push(() => transport.close())
      const audit = await openAuditLog({
        store,
        clock,
        signer,
        origin: `parley/${config.mesh}/${name}`,
        tenant: config.mesh,
        verify: verifySignature,
        ...(options.onRecord && { onAppend: options.onRecord as (record: { readonly seq: number }) => void }),
      })
      undo.push(() => audit.close())
      const note = createEventLog(audit, logger)
      await policy.open(policyDoor(config, store, note), options.policyRelease)
      const accountability = createAccountability()
      const trust = await openTrust({ config, store, signer, note, accountability, joined })
      undo.push(() => trust.close())
      const parts = createParts({
        config,
        signer,
        instance,
        transport,
        store,
        audit,
        note,
        trust,
        accountability,
        own,
        policy,
        served,
        listening,
        outcomeListeners,
        caller,
        isAccepting: () => state === 'created' || state === 'started',
        onConflict,
        ...(door ? { door } : {}),
      })
      joined.parts = parts
      if (visitor) {
        own.present(visitor.admission)
        parts.directory.announce(visitor.issuer)
      }
      await parts.orderFeed.load(config.orders)
      await parts.deadLetters.load()
      await parts.allowances.forget()
      await restoreBreakers(store, parts.reliability)
      const inbound = pipelines.inbound(createInboundPipeline(parts.handshake))
      const onDelivery = createReceiver(inbound, parts)
      const subscriptions: Unsubscribe[] = []
      for (const pattern of listPatterns(parts)) subscriptions.push(await transport.subscribe(pattern, onDelivery))
      const startedAtMs = clock.now()
      if (nats)
        subscriptions.push(
          await nats.answerServices(() =>
            describeService({ name, mesh: config.mesh, instance, startedAtMs, served, stats: parts.stats }),
          ),
        )
      const stopListening = transport.onStatus((status) => {
        note({ kind: 'lifecycle', event: `bus-${status}` })
        if (status !== 'connected') return
        parts.orderFeed.returned()
        parts.evidenceFeed.returned()
        parts.presence.returned()
      })
      const stopRefreshing = resolver && keepAnchorsFresh({ anchors: config.anchors, resolver, clock, logger })
      const opened = undo.splice(0)
      const stop = async (): Promise<void> => {
        stopListening()
        stopRefreshing?.()
        await parts.presence.leave()
        parts.orderFeed.stop()
        parts.pending.cancelAll()
        await settledWithin(clock, parts.calls.idle(), lastWordsMs)
        for (const unsubscribe of subscriptions) unsubscribe()
        for (const call of parts.serving.values()) call.close()
        await settledWithin(clock, parts.inFlight.idle(), lastWordsMs)
        parts.rejected.flush()
        await endAll(opened.toReversed())
      }
      undo.push(stop)
      if (join && !login && !visitor) await own.start()
      return { parts, transport, audit, stop, request: inbound.routes.request ?? [] }
    } catch (error) {
      await endAll(undo.toReversed()).catch((failure: unknown) => {
        logger.error('mesh.not-ended', { error: failure instanceof Error ? failure.message : 'not an error' })
      })
      throw error
    }
  }

  const onConflict = (): void => {
    if (state !== 'started') return
    state = 'conflicted'
    logger.error('iatp.instance-conflict', { name, instance })
    running?.parts.note({ kind: 'lifecycle', event: 'instance-conflict', instance })
  }

  const node: MeshNode = {
    name,
    instance,
    clock,
    random,
    logger,
    store,
    ...caller,
    ...createNodePolicy(active, config.calls),
    trust: createNodeTrust(active, signer),
    deadLetters: createDeadLetters(() => (active() ? running : undefined)),
    get owner() {
      const owner = config.anchors.ofName(name)?.owner
      if (!owner) throw new MeshError('identity.name-not-owned', `no anchor of this node covers its own name ${name}`)
      return owner
    },
    serve(contract, serves) {
      if (state !== 'created') throw new MeshError('mesh.config-invalid', 'serve must be called before start')
      registerServes(config, served, contract, serves)
    },
    on(event, listener) {
      if (state !== 'created') throw new MeshError('mesh.config-invalid', 'on must be called before start')
      addListener(listening, config.listens, event, listener as Listener)
    },
    onOutcome(listener) {
      if (state !== 'created') throw new MeshError('mesh.config-invalid', 'onOutcome must be called before start')
      outcomeListeners.push(listener)
    },
    start() {
      starting ??= (async () => {
        if (state !== 'created') throw new MeshError('mesh.not-started', 'the node was closed')
        running = await open()
        state = 'started'
        if (visitor) return
        running.parts.orderFeed.start()
        await running.parts.presence.start()
      })()
      return starting
    },
    health: () => tellHealth(state, running),
    drain() {
      if (state !== 'started' || !running) return drained
      state = 'draining'
      const { presence, inFlight } = running.parts
      drained = presence.announceNow().then(inFlight.idle)
      return drained
    },
    close() {
      ended ??= (async () => {
        await starting?.catch(() => undefined)
        await settledWithin(clock, node.drain(), drainOnCloseMs)
        state = 'closed'
        await endAll([() => running?.stop(), () => store.close(), () => join?.seat?.release()])
      })()
      return ended
    },
    providers: (capability, among) => (running ? listProviders(running.parts, capability, among) : []),
    async card(agent, timeoutMs = defaultCardMs) {
      const parts = running?.parts
      const id = resolveName(config, agent)
      const [entry] = (id && parts?.directory.instancesOf(id)) ?? []
      if (!parts || !id || !entry) return undefined
      const { instance: asked } = entry.credential
      const contents = await parts.cards.ask(asked, timeoutMs)
      return contents && { agent: id, instance: asked, ...contents }
    },
    resolve: (agent) => resolveName(config, agent),
    async acceptOrder(order) {
      if (!running) throw new MeshError('mesh.not-started', 'the node is not started: start it with `orders`')
      return running.parts.orderFeed.accept(order)
    },
    async reloadPolicy(parts, release) {
      if (!running) throw new MeshError('mesh.not-started', 'the node is not started: there is no policy to replace')
      await policy.reload(policyDoor(config, store, running.parts.note), parts, release)
      running.parts.grantedRates.forget()
    },
    record(kind, fields) {
      if (!running) throw new MeshError('mesh.not-started', 'the node is not started: there is no log to write to')
      return running.audit.append({ kind, ...fields }).seq
    },
    async [Symbol.asyncDispose]() {
      await node.close()
    },
  }
  return node
}
