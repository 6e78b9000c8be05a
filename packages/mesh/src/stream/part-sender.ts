import { allowed, limits, refuse, type EnvelopeHeader, type Verdict } from '@parley/protocol'
import { sealOverheadBytes } from '../session/body-keys.ts'
import { formatJson } from '../serving/json-body.ts'
import type { NodeParts } from '../node/node-parts.ts'
import { createPartCounter, type PartTally } from './part-tally.ts'
import { nextCounter, type Session } from '../session/session.ts'

/** How long a part is valid, in milliseconds. */
const partLifetimeMs = 60_000

/**
 * Sends the parts of one streamed reply.
 *
 * I1 Parts are numbered from 1 without gaps, and bound to the leaf of the request.
 * I2 No part is sent beyond what the caller granted; `send` waits instead, and so does the handler.
 * I3 Credential and orders of the caller are asked before each part: a stream outlives no revocation.
 */
export interface PartSender {
  /** Sends one part once there is room. Refuses when the stream cannot go on. */
  send(value: unknown): Promise<Verdict>
  /** Grants parts up to a number; a lower one than before changes nothing. */
  grant(part: number): void
  tally(): PartTally
}

/** Creates the sender for a request whose header grants the first parts. */
export function createPartSender(
  parts: NodeParts,
  request: {
    readonly header: EnvelopeHeader
    readonly session: Session
    readonly leaf: string
    readonly signal: AbortSignal
  },
): PartSender {
  const { header, session, leaf, signal } = request
  const keys = header.sealed === true ? session.keys : undefined
  const maxBytes = parts.maxBodyBytes - (keys ? sealOverheadBytes : 0)
  const counter = createPartCounter(parts.hash)
  let granted = Math.min(header.credit ?? 0, limits.streamParts)
  let room = Promise.withResolvers<void>()
  const wake = (): void => {
    room.resolve()
    room = Promise.withResolvers()
  }
  signal.addEventListener('abort', wake)

  const mayGoOn = (): Verdict => {
    if (signal.aborted) return refuse('hop.cancelled', 'the stream ended')
    if (parts.clock.now() >= session.peer.expiresAtMs)
      return refuse('identity.credential-expired', `the credential of ${session.peer.name} is expired`)
    const ordered = parts.orders.check(session.peer)
    return ordered.kind === 'deny' ? ordered : parts.orders.checkQuarantine(session.peer, parts.clock.now())
  }
  return {
    async send(value) {
      while (counter.count() >= granted && !signal.aborted) await room.promise
      const verdict = mayGoOn()
      if (verdict.kind === 'deny') return verdict
      const text = formatJson(value)
      const body = new TextEncoder().encode(text)
      if (text === undefined || body.length > maxBytes)
        return refuse('contract.output-invalid', 'the part has no JSON form, or is too large')
      const issuedAtMs = parts.clock.now()
      const sealed = parts.sealer.seal(
        {
          type: 'part',
          to: header.from,
          issuedAtMs,
          expiresAtMs: issuedAtMs + partLifetimeMs,
          contentType: 'application/json',
          session: session.id,
          counter: nextCounter(session),
          part: counter.count() + 1,
          inReplyTo: leaf,
        },
        body,
        keys,
      )
      counter.add(sealed.leaf)
      const sent = await parts.sealer.send(sealed)
      return sent.kind === 'deny' ? sent : allowed
    },
    grant(part) {
      const upTo = Math.min(part, counter.count() + limits.streamParts)
      if (upTo <= granted) return
      granted = upTo
      wake()
    },
    tally: () => counter.tally(),
  }
}
