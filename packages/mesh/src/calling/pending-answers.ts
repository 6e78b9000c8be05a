import { createPassingMap } from '@parley/ports'
import type { EnvelopeHeader, InstanceDid } from '@parley/protocol'
import type { InFrame } from '../session/evidence-of.ts'
import type { TimerQueue } from '../node/timer-queue.ts'

/** An answer to an envelope of ours: a verified envelope whose `inReplyTo` named it. */
export interface Answer {
  readonly header: EnvelopeHeader
  readonly body: Uint8Array
  /** Leaf hash of the answer in base64url. */
  readonly leaf: string
  readonly inFrame: InFrame
}

/** Why there is no answer. */
export type NoAnswer = 'timeout' | 'cancelled' | 'undelivered' | 'revoked'

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
  /** Notes under which attempt of the bus these envelopes left; those that nobody waits for are left out. */
  sentAs(attempt: string, leaves: readonly string[]): void
  /** Ends what waits for an attempt as undelivered: nobody listened where it went. */
  bounce(attempt: string): void
  /** Ends what waits for instances that were revoked: whatever they answer now, nobody may believe. */
  revoke(instances: ReadonlySet<InstanceDid>): void
  /** Hands an answer to who waits; false if nobody does, or if another instance was asked. */
  settle(answer: Answer): boolean
  size(): number
  /** Ends all waits as cancelled. */
  cancelAll(): void
}

interface Entry {
  readonly from: InstanceDid
  readonly end: (answer: Answer | NoAnswer) => void
  attempt?: string
}

/** Creates the table. An entry lives until its answer, its timeout or its cancellation. */
export function createPendingAnswers(timers: TimerQueue): PendingAnswers {
  const waiting = createPassingMap<string, Entry>()
  /** Leaves that wait, by the attempt that they left under. */
  const attempts = createPassingMap<string, Set<string>>()
  const forgetAttempt = (leaf: string, attempt: string | undefined): void => {
    const leaves = attempts.get(attempt ?? '')
    leaves?.delete(leaf)
    if (attempt !== undefined && leaves?.size === 0) attempts.delete(attempt)
  }
  return {
    wait(leaf, from, timeoutMs, signal) {
      const { promise, resolve } = Promise.withResolvers<Answer | NoAnswer>()
      const cancel = (): void => {
        end('cancelled')
      }
      const end = (answer: Answer | NoAnswer): void => {
        if (!waiting.delete(leaf)) return
        forgetAttempt(leaf, entry.attempt)
        stopTimer()
        signal?.removeEventListener('abort', cancel)
        resolve(answer)
      }
      let stopTimer = (): void => undefined
      const renew = (ms: number): void => {
        stopTimer()
        if (!waiting.has(leaf)) return
        stopTimer = timers.set(() => {
          end('timeout')
        }, ms)
      }
      const entry: Entry = { from, end }
      waiting.set(leaf, entry)
      renew(timeoutMs)
      if (signal?.aborted === true) cancel()
      else signal?.addEventListener('abort', cancel, { once: true })
      return { answer: promise, cancel, renew }
    },
    sentAs(attempt, leaves) {
      const open = leaves.filter((leaf) => waiting.has(leaf))
      if (open.length > 0) attempts.set(attempt, new Set(open))
      for (const leaf of open) {
        const entry = waiting.get(leaf)
        if (entry) entry.attempt = attempt
      }
    },
    bounce(attempt) {
      for (const leaf of Array.from(attempts.get(attempt) ?? [])) waiting.get(leaf)?.end('undelivered')
    },
    revoke(instances) {
      for (const entry of waiting.values()) if (instances.has(entry.from)) entry.end('revoked')
    },
    settle(answer) {
      const entry = waiting.get(answer.header.inReplyTo ?? '')
      if (!entry || entry.from !== answer.header.from) return false
      entry.end(answer)
      return true
    },
    size: () => waiting.size,
    cancelAll() {
      for (const entry of waiting.values()) entry.end('cancelled')
    },
  }
}
