import { allowed, refuse } from '@parley/protocol'
import { parseJsonBody } from '../../json-body.ts'
import type { BareOutcome } from '../../outcome.ts'
import { createPartSender } from '../../part-sender.ts'
import { serveCall } from '../../serve-call.ts'
import { createServingHop } from '../../serving-hop.ts'
import { createUsageMeter } from '../../usage-meter.ts'
import { createWorkLease } from '../../work-lease.ts'
import type { InboundHop } from '../inbound-hop.ts'
import { left, type Stage } from '../stage.ts'

/** How long a handler that is cancelled has to say what it did, in milliseconds. */
export const cancelGraceMs = 250

/**
 * Runs the handler with what is left of the caller's time, or of its own lease once it took the work on. What is not done
 * by then, a moment after the caller takes the call back, or when the node closes, is unknown: a handler that heeds no
 * signal holds up neither record nor answer. Its place it keeps until it ends, or impatient callers could run any number
 * of handlers at once.
 */
export const deliver: Stage<InboundHop> = {
  name: 'deliver',
  async run(hop) {
    const { parts, leaf } = hop
    const header = left(hop.header, 'the header')
    const session = left(hop.session, 'the session')
    const body = parseJsonBody(left(hop.body, 'the body'))
    if (!body) return refuse('contract.input-invalid', 'the body is not JSON')
    const served = left(parts.served.get(left(header.capability, 'the capability')), 'the capability')
    const controller = new AbortController()
    const { signal } = controller
    const patience = createPatience(hop, controller)
    const waitedMs = parts.clock.monotonic() - hop.startedAtMs
    patience.wait(Math.max(0, (header.remainingMs ?? 0) - waitedMs), 'deadline.exceeded')
    const lease = createWorkLease(parts, {
      header,
      session,
      leaf,
      contract: served.contract,
      signal,
      renew(leaseMs) {
        hop.isAccepted = true
        patience.wait(leaseMs, 'deadline.lease-lapsed')
      },
    })
    const sender =
      served.contract.stream && header.credit !== undefined
        ? createPartSender(parts, { header, session, leaf, signal })
        : undefined
    if (sender) noteOpened(hop)
    const key = `${session.id} ${leaf}`
    parts.serving.set(key, {
      cancel() {
        hop.isCancelled = true
        controller.abort()
        patience.wait(cancelGraceMs, 'hop.cancelled')
      },
      close() {
        patience.end('hop.cancelled')
      },
      grant(part) {
        sender?.grant(part)
      },
    })
    let hasEnded = false
    const meter = createUsageMeter(parts.allowances, hop.allowances ?? [], parts.logger)
    const serving = createServingHop({
      header,
      peer: session.peer,
      chain: hop.chain,
      handed: hop.handed,
      trust: left(hop.trust, 'the trust'),
      signal,
      evidence: hop.evidence,
      remainingMs: patience.leftMs,
      caller: parts.caller,
      acting: parts.acting,
      meter,
      lease,
    })
    const done = parts.acting
      .run(hop.handed, () =>
        serveCall(served, body.value, serving, { meter, logger: parts.logger, sendPart: sender?.send }),
      )
      .then((outcome) => {
        hasEnded = true
        return outcome
      })
    hop.release = afterBoth(done, left(hop.release, 'the place'))
    const outcome = afterCancel(hop, await Promise.race([done, patience.late]), () => hasEnded)
    lease.end()
    patience.stop()
    parts.serving.delete(key)
    if (sender) hop.streamed = sender.tally()
    hop.outcome = outcome
    const usage = meter.total()
    if (usage) hop.usage = usage
    if (outcome.kind !== 'refused') return allowed
    await hop.giveBackAllowance?.()
    const { code, reason, retryAfterMs } = outcome
    return refuse(code, reason, retryAfterMs === undefined ? {} : { retryAfterMs })
  },
}

type LateCode = 'deadline.exceeded' | 'deadline.lease-lapsed' | 'hop.cancelled'

/** How long a handler is waited for. */
interface Patience {
  /** Resolves when it is over. */
  readonly late: Promise<BareOutcome>
  /** Waits this long from now, whatever was waited for before. */
  wait(ms: number, code: LateCode): void
  end(code: LateCode): void
  leftMs(): number
  stop(): void
}

function createPatience({ parts: { clock, timers } }: InboundHop, controller: AbortController): Patience {
  const late = Promise.withResolvers<BareOutcome>()
  let stopTimer = (): void => undefined
  let untilMs = 0
  const end = (code: LateCode): void => {
    stopTimer()
    late.resolve({ kind: 'unknown', code })
    controller.abort()
  }
  return {
    late: late.promise,
    wait(ms, code) {
      stopTimer()
      untilMs = clock.monotonic() + ms
      stopTimer = timers.set(() => {
        end(code)
      }, ms)
    },
    end,
    leftMs: () => untilMs - clock.monotonic(),
    stop: () => {
      stopTimer()
    },
  }
}

/** What a handler that was cancelled said counts; that it broke off does not: that is what it was asked to do. */
function afterCancel({ isCancelled }: InboundHop, outcome: BareOutcome, hasEnded: () => boolean): BareOutcome {
  if (isCancelled !== true) return outcome
  if (outcome.kind === 'unknown') return { kind: 'unknown', code: 'hop.cancelled', stopped: hasEnded() }
  return outcome.kind === 'failed' ? { ...outcome, code: 'hop.cancelled' } : outcome
}

function noteOpened({ parts, header, session, leaf }: InboundHop): void {
  parts.note({
    kind: 'stream',
    event: 'opened',
    side: 'callee',
    hop: header?.id ?? '',
    leaf,
    capability: header?.capability ?? '',
    peer: session?.peer.name ?? '',
  })
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
