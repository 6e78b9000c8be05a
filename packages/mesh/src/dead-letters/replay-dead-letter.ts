import { verifySignature } from '@parley/identity'
import { encodeBase64url, hasBody, refuse, verifyEvidence, type Refusal } from '@parley/protocol'
import type { BareOutcome } from '../contract/outcome.ts'
import type { NodeParts } from '../node/node-parts.ts'
import type { InboundHop } from '../pipeline/inbound-hop.ts'
import { recordReplayed } from '../pipeline/inbound/record.ts'
import { runStages, type PipelineEnd, type Stage } from '../pipeline/stage.ts'
import { createSession } from '../session/session.ts'
import type { DeadLetter } from './dead-letter.ts'

/** Stages that ask whether an envelope is on time: a dead letter is not, and that is all that it is let off. */
const lateStages: ReadonlySet<string> = new Set(['session', 'replay'])

/** Lists what a replayed command has to pass: all that a fresh one has, but its session and its counter. */
export function listReplayStages(request: readonly Stage<InboundHop>[]): readonly Stage<InboundHop>[] {
  return request.filter(({ name }) => !lateStages.has(name))
}

/**
 * Runs a kept command as if it had come now: its signature is verified again, its sender's credential must be valid now, and
 * orders, delegation, trust, policy, approval and contract decide now; epoch, tombstone, expiry and inbox are the handler's, as
 * ever. Every end is recorded; the outcome goes to the mailbox that the request named, and to nobody else.
 */
export async function replayDeadLetter(
  parts: NodeParts,
  stages: readonly Stage<InboundHop>[],
  letter: DeadLetter,
): Promise<BareOutcome> {
  const verified = verifyEvidence(parts.hash, Buffer.from(letter.evidence, 'base64url'), verifySignature)
  if (verified.kind === 'deny') return refused(verified)
  const { header, body, leaf, evidence } = verified.verified
  if (!hasBody(evidence.content) || body === undefined)
    return refused(refuse('iatp.body-unavailable', 'the letter was kept without its body, which was too large'))
  if (header.from !== letter.caller.instance || encodeBase64url(leaf) !== letter.leaf)
    return refused(refuse('identity.credential-mismatch', 'the letter names another sender or request than it holds'))
  if (parts.anchors.ofOwner(letter.caller.owner) === undefined)
    return refused(refuse('identity.owner-unknown', `no anchor accepts ${letter.caller.owner} any more`))
  const live = parts.sessions.get(header.session ?? '')
  const hop: InboundHop = {
    parts,
    subject: { mesh: header.mesh, kind: 'inbox', to: header.to, from: header.from },
    envelope: { header: evidence.header, salt: evidence.content.salt, body, leaf },
    evidence: () => Buffer.from(letter.evidence, 'base64url'),
    leaf: letter.leaf,
    startedAtMs: parts.clock.monotonic(),
    header,
    // The session that it came in, if it lives: its chains and its keys are there. Else one that knows the sender alone.
    session:
      live?.peer.instance === header.from
        ? live
        : createSession(header.session ?? '', letter.caller, parts.ownCredential().id),
  }
  const end: PipelineEnd = await runStages(stages, hop, parts.logger)
  hop.release?.()
  return recordReplayed(hop, end)
}

function refused({ code, reason }: Refusal): BareOutcome {
  return { kind: 'refused', code, reason }
}
