import type { Delivery } from '@parley/ports'
import { parseBounceSubject, type EnvelopeType } from '@parley/protocol'
import { evidenceOf } from '../evidence-of.ts'
import type { Handshake } from '../handshake.ts'
import type { NodeParts } from '../node-parts.ts'
import type { InboundFrame, InboundHop } from './inbound-hop.ts'
import { addressed } from './inbound/addressed.ts'
import { admit } from './inbound/admit.ts'
import { allowance } from './inbound/allowance.ts'
import { argumentsInBounds } from './inbound/arguments.ts'
import { announced } from './inbound/announced.ts'
import { body } from './inbound/body.ts'
import { cancel } from './inbound/cancel.ts'
import { credential } from './inbound/credential.ts'
import { delegation } from './inbound/delegation.ts'
import { deliver } from './inbound/deliver.ts'
import { frame } from './inbound/frame.ts'
import { createConfirm, createGreet } from './inbound/greet.ts'
import { header } from './inbound/header.ts'
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
import { runStages, type Stage } from './stage.ts'

/** The stages of everything that comes in, cheap refusals before expensive ones. */
export interface InboundPipeline {
  /** For each frame. Nothing is parsed, written, answered or recorded before its signature held. */
  readonly frame: readonly Stage<InboundFrame>[]
  /** For each envelope of it. */
  readonly envelope: readonly Stage<InboundHop>[]
  /** Then, by type. A type that is not listed is refused. */
  readonly routes: Readonly<Partial<Record<EnvelopeType, readonly Stage<InboundHop>[]>>>
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
        delegation,
        trust,
        unseal,
        body,
        argumentsInBounds,
        policy,
        admit,
        allowance,
        deliver,
      ],
      reply: [session, replay, credential, orders, unseal, settle],
      cancel: [session, replay, credential, orders, cancel],
      refusal: [settle],
      hello: [createGreet(handshake)],
      welcome: [settle],
      ready: [createConfirm(handshake)],
      event: [announced],
    },
  }
}

/** Runs one delivery through the pipeline. Never rejects: what breaks is refused and recorded. */
export async function receive(pipeline: InboundPipeline, parts: NodeParts, delivery: Delivery): Promise<void> {
  if (delivery.isBounce === true) {
    const attempt = parseBounceSubject(parts.mesh, parts.did, delivery.subject)
    if (attempt !== undefined) parts.pending.bounce(attempt)
    return
  }
  const inbound: InboundFrame = { parts, delivery }
  const proven = await runStages(pipeline.frame, inbound, parts.logger)
  if (proven.kind === 'deny' || !inbound.frame || !inbound.subject) {
    recordRejected(parts, proven.kind === 'deny' ? proven.code : 'hop.stage-failed')
    return
  }
  const { frame: opened, subject } = inbound
  await Promise.all(
    opened.envelopes.map(async (envelope, index) => {
      const leaf = Buffer.from(envelope.leaf).toString('base64url')
      const evidence = evidenceOf(parts.hash, opened, index)
      const hop: InboundHop = { parts, subject, envelope, evidence, leaf, startedAtMs: parts.clock.monotonic() }
      let end = await runStages(pipeline.envelope, hop, parts.logger)
      if (end.kind === 'allow') {
        const route = hop.header && pipeline.routes[hop.header.type]
        end = route
          ? await runStages(route, hop, parts.logger)
          : {
              kind: 'deny',
              code: 'iatp.header-invalid',
              reason: 'this type of envelope is not taken here',
              stage: 'header',
            }
      }
      hop.release?.()
      await recordInbound(hop, end)
    }),
  )
}
