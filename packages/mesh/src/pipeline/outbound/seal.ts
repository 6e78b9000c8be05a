import { allowed, isHeaderField, limits, refuse, type EnvelopeHeader, type Verdict } from '@parley/protocol'
import { formatTraceparent } from '../../traceparent.ts'
import type { OutboundHop } from '../outbound-hop.ts'
import { left, type Stage } from '../stage.ts'

const encoder = new TextEncoder()

/** Opens a session if there is none, and signs the request for this one instance. */
export const seal: Stage<OutboundHop> = { name: 'seal', run: sealRequest }

/** Seals the request of a hop; also for the one time that it is sent again in a new session. */
export async function sealRequest(hop: OutboundHop): Promise<Verdict> {
  const { parts, contract, options, chain } = hop
  const deadlineAtMs = left(hop.deadlineAtMs, 'the deadline')
  const text = JSON.stringify(hop.input) as string | undefined
  if (text === undefined) return refuse('contract.input-invalid', 'the input has no JSON form')
  const passed = checkPassedOn(hop)
  if (passed.kind === 'deny') return passed
  const loaded = await parts.bodyCarrier.load(encoder.encode(text), parts.clock.now() + limits.lifetimeMs)
  if (loaded.kind === 'deny') return loaded
  const { body, bodyRef } = loaded.carried
  const { instance } = left(hop.peer, 'the peer').credential
  const opened = await parts.handshake.open(instance, deadlineAtMs - parts.clock.monotonic())
  if (opened.kind === 'deny') return opened
  const remainingMs = Math.floor(deadlineAtMs - parts.clock.monotonic())
  if (remainingMs <= 0) return refuse('deadline.exceeded', 'the time was over before the request was sent')
  if (options.signal?.aborted === true) return refuse('hop.cancelled', 'the call was cancelled before it was sent')
  const { session } = opened
  hop.session = session
  const issuedAtMs = parts.clock.now()
  hop.sealed = parts.sealer.seal(
    {
      id: hop.id,
      type: 'request',
      to: instance,
      issuedAtMs,
      expiresAtMs: issuedAtMs + Math.min(limits.lifetimeMs, Math.max(1_000, remainingMs)),
      contentType: 'application/json',
      session: session.id,
      counter: session.nextCounter(),
      capability: contract.capability,
      contract: contract.hash,
      remainingMs,
      traceparent: formatTraceparent(hop.trace, parts.random),
      ...(chain ? { chain: chain.hash } : {}),
      ...(chain && !session.sentChains.has(chain.hash) ? { links: chain.links } : {}),
      ...(options.onBehalfOf === undefined ? {} : { onBehalfOf: options.onBehalfOf }),
      ...(options.labels?.length ? { labels: options.labels } : {}),
      ...(options.pathIndex ? { pathIndex: options.pathIndex } : {}),
      ...(bodyRef ? { bodyRef } : {}),
      ...(options.saga ? { saga: options.saga } : {}),
    },
    body,
  )
  return allowed
}

/** What a call passes on may not fit into a header, which its callee would refuse without an answer. */
function checkPassedOn({ options }: OutboundHop): Verdict {
  const { pathIndex = 0, labels, onBehalfOf } = options
  if (pathIndex >= limits.pathHops)
    return refuse('iatp.path-too-long', `the work has taken ${String(limits.pathHops)} hops in a row`)
  const wrong = Object.entries({ labels, onBehalfOf }).find(
    ([name, value]) => value !== undefined && !isHeaderField(name as keyof EnvelopeHeader, value),
  )
  return wrong ? refuse('iatp.header-invalid', `a header cannot hold these ${wrong[0]}`) : allowed
}
