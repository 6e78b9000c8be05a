import type { Clock } from '@parley/ports'
import { limits } from '@parley/protocol'

/**
 * Keeps a node below the rate of frames at which a recipient stops checking its signatures: a frame beyond it is dropped
 * unread, and the calls in it end as unknown. Waiting a moment costs latency only, since more envelopes share the next frame.
 */
export interface SendPace {
  /** Takes a frame to a subject; 0 if it may leave, else the milliseconds until one may. */
  take(subject: string): number
}

interface Pace {
  tokens: number
  filledAtMs: number
}

/** Below what a recipient allows, so that clocks that run apart do no harm. */
const framesPerSecond = limits.signaturesPerSecond * 0.95
/** A pace that was not used for this long is full again and need not be remembered. */
const refillMs = 1_000
const minForgotten = 1_024

/** Creates a pace of `perSecond` frames for each subject. */
export function createSendPace(clock: Clock, perSecond: number = framesPerSecond): SendPace {
  const paces = new Map<string, Pace>()
  let forgetAbove = minForgotten
  const forgetFull = (nowMs: number): void => {
    for (const [subject, { filledAtMs }] of paces) if (nowMs - filledAtMs >= refillMs) paces.delete(subject)
    forgetAbove = Math.max(minForgotten, paces.size * 2)
  }
  return {
    take(subject) {
      const nowMs = clock.monotonic()
      let pace = paces.get(subject)
      if (!pace) {
        if (paces.size >= forgetAbove) forgetFull(nowMs)
        pace = { tokens: perSecond, filledAtMs: nowMs }
        paces.set(subject, pace)
      }
      pace.tokens = Math.min(perSecond, pace.tokens + ((nowMs - pace.filledAtMs) * perSecond) / 1_000)
      pace.filledAtMs = nowMs
      if (pace.tokens < 1) return Math.ceil(((1 - pace.tokens) * 1_000) / perSecond)
      pace.tokens -= 1
      return 0
    },
  }
}
