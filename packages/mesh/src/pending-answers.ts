import type { Clock } from '@parley/ports'
import type { EnvelopeHeader, InstanceDid } from '@parley/protocol'

/** An answer to an envelope of ours: a verified envelope whose `inReplyTo` named it. */
export interface Answer {
  readonly header: EnvelopeHeader
  readonly body: Uint8Array
  /** Leaf hash of the answer in base64url. */
  readonly leaf: string
}

/** Why there is no answer. */
export type NoAnswer = 'timeout' | 'cancelled'

/** One wait for an answer. */
export interface WaitingAnswer {
  readonly answer: Promise<Answer | NoAnswer>
  readonly cancel: () => void
  /** Waits this long from now, instead of what was said before. */
  readonly renew: (timeoutMs: number) => void
}

/** Envelopes of ours that wait for an answer, by leaf hash. */
export interface PendingAnswers {
  /** Waits for the answer of one instance to one envelope, until the timeout, the signal or `cancel`. */
  wait(leaf: string, from: InstanceDid, timeoutMs: number, signal?: AbortSignal): WaitingAnswer
  /** Hands an answer to who waits; false if nobody does, or if another instance was asked. */
  settle(answer: Answer): boolean
  size(): number
  /** Ends all waits as cancelled. */
  cancelAll(): void
}

/** Creates the table. An entry lives until its answer, its timeout or its cancellation. */
export function createPendingAnswers(clock: Clock): PendingAnswers {
  const waiting = new Map<string, { readonly from: InstanceDid; readonly end: (answer: Answer | NoAnswer) => void }>()
  return {
    wait(leaf, from, timeoutMs, signal) {
      const { promise, resolve } = Promise.withResolvers<Answer | NoAnswer>()
      const cancel = (): void => {
        end('cancelled')
      }
      const end = (answer: Answer | NoAnswer): void => {
        if (!waiting.delete(leaf)) return
        stopTimer()
        signal?.removeEventListener('abort', cancel)
        resolve(answer)
      }
      let stopTimer = (): void => undefined
      const renew = (ms: number): void => {
        stopTimer()
        if (!waiting.has(leaf)) return
        stopTimer = clock.setTimer(() => {
          end('timeout')
        }, ms)
      }
      waiting.set(leaf, { from, end })
      renew(timeoutMs)
      if (signal?.aborted === true) cancel()
      else signal?.addEventListener('abort', cancel, { once: true })
      return { answer: promise, cancel, renew }
    },
    settle(answer) {
      const entry = waiting.get(answer.header.inReplyTo ?? '')
      if (!entry || entry.from !== answer.header.from) return false
      entry.end(answer)
      return true
    },
    size: () => waiting.size,
    cancelAll() {
      for (const entry of Array.from(waiting.values())) entry.end('cancelled')
    },
  }
}
