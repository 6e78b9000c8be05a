import { allowed, refuse } from '@parley/protocol'
import type { BareOutcome } from '../../outcome.ts'
import { serveCall } from '../../serve-call.ts'
import { createServingHop } from '../../serving-hop.ts'
import type { InboundHop } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/**
 * Runs the handler with what is left of the caller's time. What is not done by then, when the caller takes the call back,
 * or when the node closes, is unknown at once: a handler that heeds no signal holds up neither record nor answer. Its
 * place it keeps until it ends, or impatient callers could run any number of handlers at once.
 */
export const deliver: Stage<InboundHop> = {
  name: 'deliver',
  async run(hop) {
    const { parts, leaf } = hop
    const header = left(hop.header, 'the header')
    const session = left(hop.session, 'the session')
    const body = parseBody(left(hop.body, 'the body'))
    if (!body) return refuse('contract.input-invalid', 'the body is not JSON')
    const { clock, serving } = parts
    const deadlineMs = hop.startedAtMs + (header.remainingMs ?? 0)
    const controller = new AbortController()
    const ended = Promise.withResolvers<BareOutcome>()
    const key = `${session.id} ${leaf}`
    const endEarly = (code: 'hop.cancelled' | 'deadline.exceeded'): void => {
      ended.resolve({ kind: 'unknown', code })
      controller.abort()
    }
    serving.set(key, {
      abort() {
        endEarly('hop.cancelled')
      },
    })
    const stopTimer = parts.timers.set(() => {
      endEarly('deadline.exceeded')
    }, deadlineMs - clock.monotonic())
    const done = serveCall(
      left(parts.served.get(left(header.capability, 'the capability')), 'the capability'),
      body.value,
      createServingHop({
        header,
        peer: session.peer,
        chain: hop.chain,
        trust: left(hop.trust, 'the trust'),
        signal: controller.signal,
        evidence: hop.evidence,
        remainingMs: () => deadlineMs - clock.monotonic(),
        caller: parts.caller,
      }),
      parts.logger,
    )
    const place = keepUntilDone(left(hop.release, 'the place'))
    hop.release = place.release
    done.then(
      (outcome) => {
        place.end()
        ended.resolve(outcome)
      },
      (error: unknown) => {
        place.end()
        ended.reject(error)
      },
    )
    const outcome = await ended.promise
    stopTimer()
    serving.delete(key)
    hop.outcome = outcome
    if (outcome.kind !== 'refused') return allowed
    const { code, reason, retryAfterMs } = outcome
    return refuse(code, reason, retryAfterMs === undefined ? {} : { retryAfterMs })
  },
}

/** Gives a place back once its work ended and it was released. */
function keepUntilDone(giveBack: () => void): { readonly release: () => void; readonly end: () => void } {
  let isDone = false
  let isReleased = false
  return {
    release() {
      isReleased = true
      if (isDone) giveBack()
    },
    end() {
      isDone = true
      if (isReleased) giveBack()
    },
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function parseBody(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(utf8.decode(bytes)) as unknown }
  } catch {
    return undefined
  }
}
