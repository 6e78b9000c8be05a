import { allowed, isSurelyReadable, limits, parseHeader, refuse, type Verdict } from '@parley/protocol'
import { peekAnswer } from '../../approvals/approval-answer.ts'
import type { CallOptions } from '../../calling/call-options.ts'
import type { CarriedBody, LoadedBody } from '../../session/carried-body.ts'
import type { Opened } from '../../session/handshake.ts'
import { issuerContract } from '../../issuer/issuer-contract.ts'
import type { OpenHeader } from '../../session/sealer.ts'
import { markHanded, nextCounter } from '../../session/session.ts'
import { formatJson } from '../../serving/json-body.ts'
import { formatTraceparent } from '../../calling/traceparent.ts'
import type { OutboundHop } from '../outbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** Opens a session if there is none, and signs the request for this one instance. */
export const seal: Stage<OutboundHop> = { name: 'seal', run: sealRequest }

/** Seals the request of a hop; also for the one time that it is sent again in a new session. */
export function sealRequest(hop: OutboundHop): Verdict | Promise<Verdict> {
  const { parts, options, contract } = hop
  if (parts.ownCredential().expiresAtMs <= parts.clock.now() && contract.capability !== issuerContract.renew.capability)
    return refuse('identity.credential-expired', 'the own credential is expired', { retryAfterMs: 1_000 })
  const text = formatJson(hop.input)
  if (text === undefined) return refuse('contract.input-invalid', 'the input has no JSON form')
  if ((options.pathIndex ?? 0) >= limits.pathHops)
    return refuse('iatp.path-too-long', `the work has taken ${String(limits.pathHops)} hops in a row`)
  const untilMs = parts.clock.now() + limits.lifetimeMs
  const loading = parts.bodyCarrier.load(Buffer.from(text), untilMs, { isConfidential: asksForSecrecy(hop) })
  return loading instanceof Promise ? loading.then((loaded) => openFor(hop, loaded)) : openFor(hop, loading)
}

function openFor(hop: OutboundHop, loaded: LoadedBody): Verdict | Promise<Verdict> {
  if (loaded.kind === 'deny') return loaded
  const { parts } = hop
  const { carried } = loaded
  const deadlineAtMs = left(hop.deadlineAtMs, 'the deadline')
  const { instance } = left(hop.peer, 'the peer').credential
  const opening = parts.handshake.open(instance, deadlineAtMs - parts.clock.monotonic())
  return opening instanceof Promise
    ? opening.then((opened) => sealIn(hop, opened, carried))
    : sealIn(hop, opening, carried)
}

function sealIn(hop: OutboundHop, opened: Opened, { body, bodyRef }: CarriedBody): Verdict {
  const { parts, contract, options, chain, handed } = hop
  if (opened.kind === 'deny') return opened
  const deadlineAtMs = left(hop.deadlineAtMs, 'the deadline')
  const { instance } = left(hop.peer, 'the peer').credential
  const remainingMs = Math.floor(deadlineAtMs - parts.clock.monotonic())
  if (remainingMs <= 0) return refuse('deadline.exceeded', 'the time was over before the request was sent')
  if (options.signal?.aborted === true) return refuse('hop.cancelled', 'the call was cancelled before it was sent')
  const { session } = opened
  const isConfidential = asksForSecrecy(hop)
  const keys = isConfidential ? session.keys : undefined
  if (isConfidential && !keys)
    return refuse(
      'iatp.confidentiality-required',
      `the body of ${contract.capability} must be encrypted, and ${instance} offers no key share`,
    )
  const answers = answersFor(hop)
  if (isConfidential && answers.some((token) => peekAnswer(token)?.word === 'amended'))
    return refuse(
      'iatp.confidentiality-required',
      'an amendment shows arguments outside the encrypted body: have its signer hand it to the callee (approvals:answer)',
    )
  hop.session = session
  hop.isConfidential = isConfidential
  const issuedAtMs = parts.clock.now()
  const sendsLinks = chain !== undefined && session.sentChains?.has(chain.hash) !== true
  const sendsHanded = handed !== undefined && session.sentChains?.has(markHanded(handed.hash)) !== true
  const header: OpenHeader = {
    id: hop.id,
    type: 'request',
    to: instance,
    issuedAtMs,
    expiresAtMs: issuedAtMs + Math.min(limits.lifetimeMs, Math.max(1_000, remainingMs)),
    contentType: 'application/json',
    session: session.id,
    counter: nextCounter(session),
    capability: contract.capability,
    contract: contract.hash,
    remainingMs,
    approvals: answers.length > 0 ? answers : undefined,
    traceparent: formatTraceparent(hop.trace, parts.random),
    chain: chain?.hash,
    links: sendsLinks ? chain.links : undefined,
    handed: handed?.hash,
    handedLinks: sendsHanded ? handed.links : undefined,
    onBehalfOf: options.onBehalfOf,
    labels: options.labels?.length ? options.labels : undefined,
    pathIndex: options.pathIndex || undefined,
    bodyRef,
    credit: hop.receiver?.window,
    saga: options.saga,
    mailbox: options.mailbox === true ? parts.mailbox : undefined,
  }
  hop.sealed = parts.sealer.seal(header, body, keys)
  return sendsLinks || handed || brings(options) ? checkHeader(header, hop.sealed.header) : allowed
}

/** Answers of people that are not about a request of this node itself. */
function answersFor({ options, approval }: OutboundHop): readonly string[] {
  return (options.approvals ?? []).filter(
    (token) => approval === undefined || peekAnswer(token)?.digest !== approval.digest,
  )
}

function asksForSecrecy({ contract, parts }: OutboundHop): boolean {
  return contract.confidential || parts.sealBodies
}

/** Whether a call puts something into the header that comes from outside the mesh. */
function brings({ trace, onBehalfOf, labels, saga, approvals }: CallOptions): boolean {
  return (
    approvals !== undefined ||
    trace !== undefined ||
    onBehalfOf !== undefined ||
    labels !== undefined ||
    saga !== undefined
  )
}

/** Reads the header as the callee will: it never answers one that it cannot read, so that must not be sent. */
function checkHeader(open: OpenHeader, bytes: Uint8Array): Verdict {
  if (isSurelyReadable(open, bytes)) return allowed
  const parsed = parseHeader(bytes)
  return parsed.kind === 'deny' ? parsed : allowed
}
