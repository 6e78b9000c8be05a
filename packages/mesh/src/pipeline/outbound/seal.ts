import { allowed, limits, parseHeader, refuse, type Verdict } from '@parley/protocol'
import type { CallOptions } from '../../call-options.ts'
import { markHanded } from '../../session.ts'
import { formatTraceparent } from '../../traceparent.ts'
import type { OutboundHop } from '../outbound-hop.ts'
import { left, type Stage } from '../stage.ts'

const encoder = new TextEncoder()

/** Opens a session if there is none, and signs the request for this one instance. */
export const seal: Stage<OutboundHop> = { name: 'seal', run: sealRequest }

/** Seals the request of a hop; also for the one time that it is sent again in a new session. */
export async function sealRequest(hop: OutboundHop): Promise<Verdict> {
  const { parts, contract, options, chain, handed } = hop
  const deadlineAtMs = left(hop.deadlineAtMs, 'the deadline')
  const text = JSON.stringify(hop.input) as string | undefined
  if (text === undefined) return refuse('contract.input-invalid', 'the input has no JSON form')
  if ((options.pathIndex ?? 0) >= limits.pathHops)
    return refuse('iatp.path-too-long', `the work has taken ${String(limits.pathHops)} hops in a row`)
  const isConfidential = contract.confidential || parts.sealBodies
  const untilMs = parts.clock.now() + limits.lifetimeMs
  const loaded = await parts.bodyCarrier.load(encoder.encode(text), untilMs, { isConfidential })
  if (loaded.kind === 'deny') return loaded
  const { body, bodyRef } = loaded.carried
  const { instance } = left(hop.peer, 'the peer').credential
  const opened = await parts.handshake.open(instance, deadlineAtMs - parts.clock.monotonic())
  if (opened.kind === 'deny') return opened
  const remainingMs = Math.floor(deadlineAtMs - parts.clock.monotonic())
  if (remainingMs <= 0) return refuse('deadline.exceeded', 'the time was over before the request was sent')
  if (options.signal?.aborted === true) return refuse('hop.cancelled', 'the call was cancelled before it was sent')
  const { session } = opened
  const keys = isConfidential ? session.keys : undefined
  if (isConfidential && !keys)
    return refuse(
      'iatp.confidentiality-required',
      `the body of ${contract.capability} must be encrypted, and ${instance} offers no key share`,
    )
  hop.session = session
  hop.isConfidential = isConfidential
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
      ...(chain && session.sentChains?.has(chain.hash) !== true ? { links: chain.links } : {}),
      ...(handed ? { handed: handed.hash } : {}),
      ...(handed && session.sentChains?.has(markHanded(handed.hash)) !== true ? { handedLinks: handed.links } : {}),
      ...(options.onBehalfOf === undefined ? {} : { onBehalfOf: options.onBehalfOf }),
      ...(options.labels?.length ? { labels: options.labels } : {}),
      ...(options.pathIndex ? { pathIndex: options.pathIndex } : {}),
      ...(bodyRef ? { bodyRef } : {}),
      ...(options.saga ? { saga: options.saga } : {}),
    },
    body,
    keys,
  )
  return handed || brings(options) ? checkHeader(hop.sealed.header) : allowed
}

/** Whether a call puts something into the header that comes from outside the mesh. */
function brings({ trace, onBehalfOf, labels, delegation, saga }: CallOptions): boolean {
  return [trace, onBehalfOf, labels, delegation, saga].some((field) => field !== undefined)
}

/** Reads the header as the callee will: it never answers one that it cannot read, so that must not be sent. */
function checkHeader(bytes: Uint8Array): Verdict {
  const parsed = parseHeader(bytes)
  return parsed.kind === 'deny' ? parsed : allowed
}
