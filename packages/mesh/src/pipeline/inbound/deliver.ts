import { allowed, refuse, type Verdict } from '@parley/protocol'
import type { BareOutcome } from '../../contract/outcome.ts'
import { createPartSender } from '../../stream/part-sender.ts'
import { serveCall } from '../../serving/serve-call.ts'
import { createServingHop } from '../../serving/serving-hop.ts'
import { createStopping, type Stopping } from '../../node/stopping.ts'
import { createUsageMeter } from '../../serving/usage-meter.ts'
import { createWorkLease } from '../../serving/work-lease.ts'
import type { InboundHop } from '../inbound-hop.ts'
import { readBody } from '../read-body.ts'
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
  run(hop) {
    const { parts, leaf } = hop
    const header = left(hop.header, 'the header')
    const session = left(hop.session, 'the session')
    const body = readBody(hop)
    if (!body) return refuse('contract.input-invalid', 'the body is not JSON')
    const served = left(parts.served.get(left(header.capability, 'the capability')), 'the capability')
    const stopping = createStopping()
    const patience = createPatience(hop, stopping)
    const waitedMs = parts.clock.monotonic() - hop.startedAtMs
    patience.wait(Math.max(0, (header.remainingMs ?? 0) - waitedMs), 'deadline.exceeded')
    const lease = createWorkLease(parts, {
      header,
      session,
      leaf,
      contract: served.contract,
      stopping,
      renew(leaseMs) {
        hop.isAccepted = true
        patience.wait(leaseMs, 'deadline.lease-lapsed')
      },
    })
    const sender =
      served.contract.stream && header.credit !== undefined
        ? createPartSender(parts, { header, session, leaf, signal: stopping.signal() })
        : undefined
    if (sender) noteOpened(hop)
    parts.serving.set(leaf, {
      session: session.id,
      cancel() {
        hop.isCancelled = true
        stopping.abort()
        patience.wait(cancelGraceMs, 'hop.cancelled')
      },
      close() {
        patience.end('hop.cancelled')
      },
      grant(part) {
        sender?.grant(part)
      },
    })
    const meter = createUsageMeter(parts.allowances, hop.allowances ?? [], parts.logger)
    const serving = createServingHop({
      header,
      peer: session.peer,
      chain: hop.chain,
      handed: hop.handed,
      trust: left(hop.trust, 'the trust'),
      obligations: hop.decision?.kind === 'allow' ? hop.decision.obligations : [],
      stopping,
      evidence: hop.evidence,
      remainingMs: patience.leftMs,
      caller: parts.caller,
      acting: parts.acting,
      meter,
      lease,
    })
    const place = holdPlace(left(hop.release, 'the place'))
    hop.release = place.leave
    parts.acting
      .run(hop.handed, () =>
        serveCall(served, body.value, serving, { meter, logger: parts.logger, sendPart: sender?.send }),
      )
      .then(place.endWork)
      .then(patience.settle, patience.fail)
    return patience.ended.then((ended) => {
      lease.end()
      patience.stop()
      parts.serving.delete(leaf)
      if (sender) hop.streamed = sender.tally()
      const outcome = afterCancel(hop, ended, place.hasWorkEnded)
      hop.outcome = outcome
      const usage = meter.total()
      if (usage) hop.usage = usage
      return outcome.kind === 'refused' ? giveUp(hop, outcome) : allowed
    })
  },
}

async function giveUp(
  hop: InboundHop,
  { code, reason, retryAfterMs }: Extract<BareOutcome, { readonly kind: 'refused' }>,
): Promise<Verdict> {
  await hop.giveBackAllowance?.()
  return refuse(code, reason, retryAfterMs === undefined ? {} : { retryAfterMs })
}

type LateCode = 'deadline.exceeded' | 'deadline.lease-lapsed' | 'hop.cancelled'

/** How long a handler is waited for. */
interface Patience {
  /** Resolves with what the handler said, or when nobody waits for it any more. */
  readonly ended: Promise<BareOutcome>
  settle(outcome: BareOutcome): void
  fail(defect: unknown): void
  /** Waits this long from now, whatever was waited for before. */
  wait(ms: number, code: LateCode): void
  end(code: LateCode): void
  leftMs(): number
  stop(): void
}

function createPatience({ parts: { clock, timers } }: InboundHop, stopping: Stopping): Patience {
  const ended = Promise.withResolvers<BareOutcome>()
  let stopTimer: (() => void) | undefined
  let untilMs = 0
  const end = (code: LateCode): void => {
    stopTimer?.()
    ended.resolve({ kind: 'unknown', code })
    stopping.abort()
  }
  return {
    ended: ended.promise,
    settle: ended.resolve,
    fail: ended.reject,
    wait(ms, code) {
      stopTimer?.()
      untilMs = clock.monotonic() + ms
      stopTimer = timers.set(() => {
        end(code)
      }, ms)
    },
    end,
    leftMs: () => untilMs - clock.monotonic(),
    stop: () => {
      stopTimer?.()
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

/** A place that is given back once its work is done and `leave` was called. */
interface HeldPlace {
  leave(): void
  /** Notes that the work has ended, and passes on what it said. */
  endWork(outcome: BareOutcome): BareOutcome
  hasWorkEnded(): boolean
}

function holdPlace(giveBack: () => void): HeldPlace {
  let isDone = false
  let isReleased = false
  return {
    leave() {
      isReleased = true
      if (isDone) giveBack()
    },
    endWork(outcome) {
      isDone = true
      if (isReleased) giveBack()
      return outcome
    },
    hasWorkEnded: () => isDone,
  }
}
