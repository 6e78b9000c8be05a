import type { Delivery } from '@parley/ports'
import { encodeBase64url, parseBounceSubject, refuse, type EnvelopeType } from '@parley/protocol'
import { evidenceOf } from '../session/evidence-of.ts'
import type { Handshake } from '../session/handshake.ts'
import type { NodeParts } from '../node/node-parts.ts'
import type { InboundFrame, InboundHop } from './inbound-hop.ts'
import { addressed } from './inbound/addressed.ts'
import { admit } from './inbound/admit.ts'
import { allowance } from './inbound/allowance.ts'
import { argumentsInBounds } from './inbound/arguments.ts'
import { approval } from './inbound/approval.ts'
import { announced } from './inbound/announced.ts'
import { body } from './inbound/body.ts'
import { cancel } from './inbound/cancel.ts'
import { credential } from './inbound/credential.ts'
import { delegation } from './inbound/delegation.ts'
import { deliver } from './inbound/deliver.ts'
import { hear } from './inbound/event/hear.ts'
import { listened } from './inbound/event/listened.ts'
import { once } from './inbound/event/once.ts'
import { eventPolicy } from './inbound/event/policy.ts'
import { recordEvent } from './inbound/event/record.ts'
import { speaker } from './inbound/event/speaker.ts'
import { frame } from './inbound/frame.ts'
import { createConfirm, createGreet } from './inbound/greet.ts'
import { header } from './inbound/header.ts'
import { ongoing } from './inbound/ongoing.ts'
import { mailbox } from './inbound/mailbox.ts'
import { firstHeard, ownMailbox, responder } from './inbound/outcome/mailed.ts'
import { tellOutcome } from './inbound/outcome/tell.ts'
import { orders } from './inbound/orders.ts'
import { policy } from './inbound/policy.ts'
import { proof } from './inbound/proof.ts'
import { recordInbound, recordRejected } from './inbound/record.ts'
import { replay } from './inbound/replay.ts'
import { senderLimits } from './inbound/sender-limits.ts'
import { session } from './inbound/session.ts'
import { settle } from './inbound/settle.ts'
import { trust } from './inbound/trust.ts'
import { unseal } from './inbound/unseal.ts'
import { runStages, type PipelineEnd, type Stage } from './stage.ts'

/** The stages of everything that comes in, cheap refusals before expensive ones. */
export interface InboundPipeline {
  /** For each frame. Nothing is parsed, written, answered or recorded before its signature held. */
  readonly frame: readonly Stage<InboundFrame>[]
  /** For each envelope of it. */
  readonly envelope: readonly Stage<InboundHop>[]
  /** Then, by type. A type that is not listed is refused. */
  readonly routes: Readonly<Partial<Record<EnvelopeType, readonly Stage<InboundHop>[]>>>
  /** For events of contracts, which name their capability. */
  readonly events: readonly Stage<InboundHop>[]
}

/** Lists the stages; `record` follows every one of these lists. */
export function createInboundPipeline(handshake: Handshake): InboundPipeline {
  return {
    frame: [frame, senderLimits, proof],
    envelope: [header, addressed],
    routes: {
      request: [
        session,
        replay,
        credential,
        orders,
        mailbox,
        delegation,
        trust,
        unseal,
        body,
        argumentsInBounds,
        policy,
        admit,
        allowance,
        approval,
        deliver,
      ],
      reply: [session, replay, credential, orders, unseal, settle],
      completed: [session, replay, credential, orders, unseal, settle],
      closed: [session, replay, credential, orders, unseal, settle],
      part: [session, replay, credential, orders, unseal, ongoing],
      accepted: [session, replay, credential, orders, unseal, ongoing],
      progress: [session, replay, credential, orders, unseal, ongoing],
      cancel: [session, replay, credential, orders, cancel],
      refusal: [settle],
      hello: [createGreet(handshake)],
      welcome: [settle],
      ready: [createConfirm(handshake)],
      event: [announced],
      outcome: [ownMailbox, speaker, responder, firstHeard, orders, tellOutcome],
    },
    events: [listened, speaker, once, orders, trust, eventPolicy, hear],
  }
}

/** Takes deliveries, each through the pipeline. What breaks is refused and recorded; what is left are defects, which are told. */
export function createReceiver(pipeline: InboundPipeline, parts: NodeParts): (delivery: Delivery) => void {
  const tell = (error: unknown): void => {
    parts.logger.error('hop.stage-failed', { error: error instanceof Error ? error.message : 'not an error' })
  }
  return (delivery) => {
    try {
      receive(pipeline, parts, delivery)?.catch(tell)
    } catch (error) {
      tell(error)
    }
  }
}

/** A delivery that is refused before anything waits makes no promise: whoever floods a node has it refuse many. */
function receive(pipeline: InboundPipeline, parts: NodeParts, delivery: Delivery): Promise<void> | undefined {
  if (delivery.isBounce === true) {
    const attempt = parseBounceSubject(parts.mesh, parts.did, delivery.subject)
    if (attempt !== undefined) parts.pending.bounce(attempt)
    return undefined
  }
  const inbound: InboundFrame = { parts, delivery }
  const proving = runStages(pipeline.frame, inbound, parts.logger)
  return proving instanceof Promise
    ? proving.then((proven) => open(pipeline, inbound, proven))
    : open(pipeline, inbound, proving)
}

/** Runs the envelopes of a frame that is proven. */
function open(pipeline: InboundPipeline, inbound: InboundFrame, proven: PipelineEnd): Promise<void> | undefined {
  const { parts, frame: opened, subject } = inbound
  if (proven.kind === 'deny' || !opened || !subject) {
    recordRejected(parts, proven.kind === 'deny' ? proven.code : 'hop.stage-failed')
    return undefined
  }
  const waiting: Promise<void>[] = []
  for (const [index, envelope] of opened.envelopes.entries()) {
    const leaf = encodeBase64url(envelope.leaf)
    const inFrame = { frame: opened, index }
    const evidence = evidenceOf(parts.hash, inFrame)
    const hop: InboundHop = { parts, subject, envelope, inFrame, evidence, leaf, startedAtMs: parts.clock.monotonic() }
    const ended = runEnvelope(pipeline, hop)
    if (ended) waiting.push(ended)
  }
  return waiting.length === 0 ? undefined : Promise.all(waiting).then(() => undefined)
}

/** Runs one envelope to its end: in this turn if all its stages answer at once. */
function runEnvelope(pipeline: InboundPipeline, hop: InboundHop): Promise<void> | undefined {
  const { logger } = hop.parts
  const read = runStages(pipeline.envelope, hop, logger)
  const end = read instanceof Promise ? read.then((told) => routeOn(pipeline, hop, told)) : routeOn(pipeline, hop, read)
  const finish = (told: PipelineEnd): Promise<void> | undefined => {
    hop.release?.()
    if (!isContractEvent(hop)) return recordInbound(hop, told)
    recordEvent(hop, told)
    return undefined
  }
  if (end instanceof Promise) return end.then(finish)
  try {
    return finish(end)
  } catch (error) {
    // The other envelopes of the frame are none the worse for it.
    return Promise.reject(error instanceof Error ? error : new Error('not an error'))
  }
}

function routeOn(pipeline: InboundPipeline, hop: InboundHop, end: PipelineEnd): PipelineEnd | Promise<PipelineEnd> {
  if (end.kind === 'deny') return end
  const route = routeOf(pipeline, hop)
  if (route) return runStages(route, hop, hop.parts.logger)
  return { ...refuse('iatp.header-invalid', 'this type of envelope is not taken here'), stage: 'header' }
}

function routeOf(pipeline: InboundPipeline, hop: InboundHop): readonly Stage<InboundHop>[] | undefined {
  return isContractEvent(hop) ? pipeline.events : hop.header && pipeline.routes[hop.header.type]
}

/** Announcements name no capability. */
function isContractEvent({ header: found }: InboundHop): boolean {
  return found?.type === 'event' && found.capability !== undefined
}
