import { createLocalIssuer, createKeySigner, type KeySigner, type LocalIssuer } from '@parley/identity'
import { defineContract, type ContractCapability } from '@parley/mesh'
import {
  createManualClock,
  createSeededRandom,
  type Delivery,
  type ManualClock,
  type Random,
  type Transport,
  systemHash,
} from '@parley/ports'
import { formatInboxPattern, formatMailboxToken, type InstanceDid } from '@parley/protocol'
import { createMemoryBus } from '@parley/transport-memory'
import { z } from 'zod'
// The stages of a node are nobody's API; only who counts them looks behind the front.
import { assembleNode } from '../../packages/mesh/src/node/create-node.ts'
import type { NodeParts } from '../../packages/mesh/src/node/node-parts.ts'
import type { InboundPipeline } from '../../packages/mesh/src/pipeline/inbound.ts'
import type { Stage } from '../../packages/mesh/src/pipeline/stage.ts'

/** Where a frame or an envelope ended: the stage that refused, or `allow` past all stages. */
export interface InboundEnd {
  readonly code: string
  readonly stage?: string
}

/** A real node whose inbound stages are counted, and a connection of somebody else to its bus. */
export interface InboundLab extends AsyncDisposable {
  readonly clock: ManualClock
  readonly issuer: LocalIssuer
  readonly instance: InstanceDid
  /** The token of the mailbox that the node listens to. */
  readonly mailbox: string
  readonly capability: ContractCapability
  /** How often each stage was asked, and how often it let pass. */
  readonly reached: ReadonlyMap<string, number>
  readonly passed: ReadonlyMap<string, number>
  /** Codes that stages refused with, and how often. */
  readonly refused: ReadonlyMap<string, number>
  /** How often a handler ran. */
  handled(): number
  /** Publishes to the bus as anybody could. */
  publish(subject: string, data: Uint8Array): void
  /** What the node answered to an instance since the last call. */
  takeAnswers(): readonly Delivery[]
  /** Listens to what is sent to an instance. */
  listen(instance: InstanceDid): Promise<void>
  /** Hands one unit to the node past the bus's routing, and says where it ended. */
  judge(unit: Delivery): Promise<InboundEnd>
  /** What the node holds in memory for others, by name. */
  holdings(): Readonly<Record<string, number>>
}

const echo = defineContract('echo', {
  say: { input: z.object({ text: z.string() }), output: z.object({ text: z.string() }), risk: 'reversible' },
})

/** What a stage is given, as far as the lab looks at it. */
interface Watched {
  readonly parts: NodeParts
  readonly subject?: { readonly from: InstanceDid }
}

const earlyStages: ReadonlySet<string> = new Set(['frame', 'sender-limits', 'proof', 'header', 'addressed'])

/** Opens the lab. The node's key is made of `seed`. */
export async function openInboundLab(seed: Uint8Array): Promise<InboundLab> {
  const clock = createManualClock()
  const issuer = createLocalIssuer({ alias: 'acme', clock, random: createSeededRandom(11) })
  const bus = createMemoryBus({ clock, random: createSeededRandom(12) })
  const reached = new Map<string, number>()
  const passed = new Map<string, number>()
  const refused = new Map<string, number>()
  let handled = 0
  let parts: NodeParts | undefined
  let last: InboundEnd = { code: 'allow' }
  const count = (counts: Map<string, number>, name: string): void => {
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const watch = <Context extends Watched>(stage: Stage<Context>): Stage<Context> => ({
    name: stage.name,
    async run(context) {
      parts ??= context.parts
      // A node hears its own announcements.
      if (context.subject?.from === context.parts.did) return stage.run(context)
      count(reached, stage.name)
      const verdict = await stage.run(context)
      if (verdict.kind === 'allow') count(passed, stage.name)
      else {
        count(refused, verdict.code)
        last = { code: verdict.code, stage: stage.name }
      }
      return verdict
    },
  })
  const watchAll = (standard: InboundPipeline): InboundPipeline => ({
    frame: standard.frame.map(watch),
    envelope: standard.envelope.map(watch),
    routes: Object.fromEntries(Object.entries(standard.routes).map(([type, stages]) => [type, stages.map(watch)])),
    events: standard.events.map(watch),
  })
  const routed: ((delivery: Delivery) => void)[] = []
  const node = await assembleNode(
    {
      name: 'acme/target',
      issuer,
      serves: [echo],
      clock,
      random: seededWith(seed),
      heartbeatMs: 1_000_000,
      transport: tapSubscriptions(bus.connect(), routed),
    },
    { inbound: watchAll, outbound: [] },
  )
  node.serve(echo, {
    say: ({ text }) => {
      handled += 1
      return { text }
    },
  })
  node.onOutcome(() => undefined)
  await node.start()
  await clock.settle()
  const outside = bus.connect()
  let answers: Delivery[] = []
  return {
    clock,
    issuer,
    instance: node.instance,
    mailbox: formatMailboxToken(systemHash, { owner: node.owner, name: node.name }),
    capability: echo.say,
    reached,
    passed,
    refused,
    handled: () => handled,
    publish: (subject, data) => {
      outside.publish(subject, data)
    },
    takeAnswers() {
      const taken = answers
      answers = []
      return taken
    },
    async listen(instance) {
      await outside.subscribe(formatInboxPattern('main', instance), (unit) => answers.push(unit))
    },
    async judge(unit) {
      last = { code: 'allow' }
      routed[0]?.(unit)
      await clock.settle()
      return last.stage !== undefined && earlyStages.has(last.stage) ? last : { code: 'allow' }
    },
    holdings: () => ({
      sessions: parts?.sessions.size() ?? 0,
      pending: parts?.pending.size() ?? 0,
      directory: parts?.directory.entries().length ?? 0,
      serving: parts?.serving.size ?? 0,
      inFlight: parts?.inFlight.count() ?? 0,
    }),
    async [Symbol.asyncDispose]() {
      const closing = node.close()
      await clock.advance(5_000)
      await closing
    },
  }
}

/** A signer of the lab that the lab's issuer vouches for, or that nobody does. */
export function labSigner(random: Random): KeySigner {
  return createKeySigner(random.bytes(32))
}

/** Gives the seed first, since a node makes its key before it draws anything else. */
function seededWith(seed: Uint8Array): Random {
  const random = createSeededRandom(13)
  let isFirst = true
  return {
    ...random,
    bytes(length) {
      if (!isFirst || length !== seed.length) return random.bytes(length)
      isFirst = false
      return Uint8Array.from(seed)
    },
  }
}

/** Keeps what a node subscribes with. */
function tapSubscriptions(transport: Transport, routed: ((delivery: Delivery) => void)[]): Transport {
  return {
    kind: transport.kind,
    maxPayloadBytes: transport.maxPayloadBytes,
    status: () => transport.status(),
    onStatus: (listener) => transport.onStatus(listener),
    publish: (subject, data) => {
      transport.publish(subject, data)
    },
    subscribe(pattern, onDelivery) {
      routed.push(onDelivery)
      return transport.subscribe(pattern, onDelivery)
    },
    flush: () => transport.flush(),
    close: () => transport.close(),
  }
}
