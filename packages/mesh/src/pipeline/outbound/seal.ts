import { allowed, limits, parseHeader, refuse, type Verdict } from '@parley/protocol'
import type { CallOptions } from '../../call-options.ts'
import type { Opened } from '../../handshake.ts'
import { formatTraceparent } from '../../traceparent.ts'
import type { OutboundHop } from '../outbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** Opens a session if there is none, and signs the request for this one instance. */
export const seal: Stage<OutboundHop> = { name: 'seal', run: sealRequest }

/** Seals the request of a hop; also for the one time that it is sent again in a new session. */
export function sealRequest(hop: OutboundHop): Verdict | Promise<Verdict> {
  const { parts } = hop
  const deadlineAtMs = left(hop.deadlineAtMs, 'the deadline')
  const text = JSON.stringify(hop.input) as string | undefined
  if (text === undefined) return refuse('contract.input-invalid', 'the input has no JSON form')
  const body = Buffer.from(text)
  if (body.length > parts.maxBodyBytes)
    return refuse(
      'iatp.frame-oversize',
      `the body has ${String(body.length)} bytes, ${String(parts.maxBodyBytes)} are allowed here`,
    )
  const { instance } = left(hop.peer, 'the peer').credential
  const opening = parts.handshake.open(instance, deadlineAtMs - parts.clock.monotonic())
  return opening instanceof Promise ? opening.then((opened) => sealIn(hop, opened, body)) : sealIn(hop, opening, body)
}

function sealIn(hop: OutboundHop, opened: Opened, body: Uint8Array): Verdict {
  const { parts, contract, options, chain } = hop
  if (opened.kind === 'deny') return opened
  const deadlineAtMs = left(hop.deadlineAtMs, 'the deadline')
  const { instance } = left(hop.peer, 'the peer').credential
  const remainingMs = Math.floor(deadlineAtMs - parts.clock.monotonic())
  if (remainingMs <= 0) return refuse('deadline.exceeded', 'the time was over before the request was sent')
  if (options.signal?.aborted === true) return refuse('hop.cancelled', 'the call was cancelled before it was sent')
  const { session } = opened
  hop.session = session
  const issuedAtMs = parts.clock.now()
  const sendsLinks = chain !== undefined && !session.sentChains.has(chain.hash)
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
      ...(sendsLinks ? { links: chain.links } : {}),
      ...(options.onBehalfOf === undefined ? {} : { onBehalfOf: options.onBehalfOf }),
      ...(options.labels?.length ? { labels: options.labels } : {}),
      ...(options.saga ? { saga: options.saga } : {}),
    },
    body,
  )
  return sendsLinks || brings(options) ? checkHeader(hop.sealed.header) : allowed
}

/** Whether a call puts something into the header that comes from outside the mesh. */
function brings({ trace, onBehalfOf, labels, saga }: CallOptions): boolean {
  return trace !== undefined || onBehalfOf !== undefined || labels !== undefined || saga !== undefined
}

/** Reads the header as the callee will: it never answers one that it cannot read, so that must not be sent. */
function checkHeader(bytes: Uint8Array): Verdict {
  const parsed = parseHeader(bytes)
  return parsed.kind === 'deny' ? parsed : allowed
}
