import type { Hash } from '@parley/ports'
import { allowed, limits, refuse, type ErrorCode, type Verdict } from '@parley/protocol'
import { parseJsonBody } from '../serving/json-body.ts'
import { createPartCounter, type PartTally } from './part-tally.ts'
import type { Answer } from '../calling/pending-answers.ts'

/**
 * Takes the parts of one streamed reply and hands them to who iterates.
 *
 * I1 Parts are taken in order and without gaps; the first that is missing ends the stream as `stream.part-lost`.
 * I2 At most `window` parts wait; what comes beyond ends the stream as `stream.part-invalid`.
 */
export interface PartReceiver {
  /** Parts that may come before any was asked for. */
  readonly window: number
  /** The request is sent, or sent again: `grant` tells the callee how far it may go. */
  open(grant: (upTo: number) => void): void
  take(told: Answer): Verdict
  /** The call is over: no more parts come. */
  end(): void
  /** Ends the stream for a reason of this side. */
  fail(code: ErrorCode): void
  failure(): ErrorCode | undefined
  tally(): PartTally
  /** Gives the next part once there is one; undefined after the last. */
  next(): Promise<{ readonly value: unknown } | undefined>
}

/** Creates a receiver with room for `maxAhead` parts. `onFail` must end the call. */
export function createPartReceiver(hash: Hash, maxAhead: number, onFail: () => void): PartReceiver {
  const window = Math.max(1, Math.min(Math.floor(maxAhead), limits.streamParts))
  const counter = createPartCounter(hash)
  const waiting: { readonly value: unknown }[] = []
  let granted = window
  let asked = 0
  let isEnded = false
  let failed: ErrorCode | undefined
  let grant: ((upTo: number) => void) | undefined
  let news = Promise.withResolvers<void>()
  const wake = (): void => {
    news.resolve()
    news = Promise.withResolvers()
  }
  const fail = (code: ErrorCode): void => {
    if (isEnded || failed !== undefined) return
    failed = code
    onFail()
    wake()
  }
  const failWith = (code: ErrorCode, reason: string): Verdict => {
    fail(code)
    return refuse(code, reason)
  }
  /** Half the window at a time: a grant for each part would double the envelopes. */
  const grantMore = (): void => {
    if (isEnded || failed !== undefined || asked + window - granted < Math.ceil(window / 2)) return
    granted = asked + window
    grant?.(granted)
  }
  return {
    window,
    open(tell) {
      grant = tell
    },
    take({ header, body, leaf }) {
      if (isEnded || failed !== undefined) return allowed
      const number = header.part ?? 0
      if (number !== counter.count() + 1) return failWith('stream.part-lost', 'a part of the stream is missing')
      if (number > granted) return failWith('stream.part-invalid', 'a part came that nobody had room for')
      const value = parseJsonBody(body)
      if (!value) return failWith('stream.part-invalid', 'a part is not JSON')
      counter.add(leaf)
      waiting.push(value)
      wake()
      return allowed
    },
    end() {
      isEnded = true
      wake()
    },
    fail,
    failure: () => failed,
    tally: () => counter.tally(),
    async next() {
      while (waiting.length === 0 && !isEnded) await news.promise
      const first = waiting.shift()
      if (!first) return undefined
      asked += 1
      grantMore()
      return first
    },
  }
}
