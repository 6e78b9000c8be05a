import { allowed, refuse } from '@parley/protocol'
import type { BareOutcome } from '../../outcome.ts'
import { parseBody } from '../../parse-body.ts'
import { serveCall } from '../../serve-call.ts'
import { createServingHop } from '../../serving-hop.ts'
import { createUsageMeter } from '../../usage-meter.ts'
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
    const { clock } = parts
    const deadlineMs = hop.startedAtMs + (header.remainingMs ?? 0)
    const controller = new AbortController()
    const key = `${session.id} ${leaf}`
    parts.serving.set(key, controller)
    const late = Promise.withResolvers<BareOutcome>()
    controller.signal.addEventListener('abort', () => {
      late.resolve({ kind: 'unknown', code: 'hop.cancelled' })
    })
    const stopTimer = clock.setTimer(
      () => {
        late.resolve({ kind: 'unknown', code: 'deadline.exceeded' })
        controller.abort()
      },
      Math.max(0, deadlineMs - clock.monotonic()),
    )
    const meter = createUsageMeter(parts.allowances, hop.allowances ?? [], parts.logger)
    const served = left(parts.served.get(left(header.capability, 'the capability')), 'the capability')
    const serving = createServingHop({
      header,
      peer: session.peer,
      chain: hop.chain,
      handed: hop.handed,
      trust: left(hop.trust, 'the trust'),
      signal: controller.signal,
      evidence: hop.evidence,
      remainingMs: () => deadlineMs - clock.monotonic(),
      caller: parts.caller,
      acting: parts.acting,
      meter,
    })
    const done = parts.acting.run(hop.handed, () => serveCall(served, body.value, serving, meter, parts.logger))
    hop.release = afterBoth(done, left(hop.release, 'the place'))
    const outcome = await Promise.race([done, late.promise])
    stopTimer()
    parts.serving.delete(key)
    hop.outcome = outcome
    const usage = meter.total()
    if (usage) hop.usage = usage
    if (outcome.kind !== 'refused') return allowed
    await hop.giveBackAllowance?.()
    const { code, reason, retryAfterMs } = outcome
    return refuse(code, reason, retryAfterMs === undefined ? {} : { retryAfterMs })
  },
}

/** Gives a place back once its work is done and the returned function was called. */
function afterBoth(work: Promise<unknown>, giveBack: () => void): () => void {
  let isDone = false
  let isReleased = false
  const endWork = (): void => {
    isDone = true
    if (isReleased) giveBack()
  }
  void work.then(endWork, endWork)
  return () => {
    isReleased = true
    if (isDone) giveBack()
  }
}
