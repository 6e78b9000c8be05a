import { createManualClock } from '@parley/ports'
import type { InstanceDid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { createTimerQueue } from '../node/timer-queue.ts'
import { createPendingAnswers, type Answer } from './pending-answers.ts'

const callee: InstanceDid = 'did:key:zCallee'
const answerOf = (from: InstanceDid, inReplyTo: string): Answer => ({
  header: {
    type: 'reply',
    id: 'i',
    from,
    to: 'did:key:zMe',
    mesh: 'main',
    issuedAtMs: 0,
    expiresAtMs: 1,
    inReplyTo,
  },
  body: new Uint8Array(),
  leaf: 'answer',
  inFrame: { frame: { suite: 1, signature: new Uint8Array(64), envelopes: [] }, index: 0 },
})

describe('createPendingAnswers', () => {
  it('hands an answer over once, to who waits for this leaf from this instance', async () => {
    const pending = createPendingAnswers(createTimerQueue(createManualClock()))
    const waiting = pending.wait('leaf', callee, 100)
    expect(pending.settle(answerOf('did:key:zOther', 'leaf'))).toBe(false)
    expect(pending.settle(answerOf(callee, 'other'))).toBe(false)
    const answer = answerOf(callee, 'leaf')
    expect([pending.settle(answer), pending.settle(answer)]).toEqual([true, false])
    expect(await waiting.answer).toBe(answer)
    expect(pending.size()).toBe(0)
  })

  it('ends what waits for a revoked instance, and nothing else', async () => {
    const pending = createPendingAnswers(createTimerQueue(createManualClock()))
    const [gone, kept] = [pending.wait('gone', callee, 100), pending.wait('kept', 'did:key:zOther', 100)]
    pending.revoke(new Set([callee]))
    expect(await gone.answer).toBe('revoked')
    expect([pending.size(), pending.settle(answerOf(callee, 'gone'))]).toEqual([1, false])
    kept.cancel()
    expect(await kept.answer).toBe('cancelled')
  })

  it('ends at the timeout, at the signal, at a cancel, and for all at once', async () => {
    const clock = createManualClock()
    const pending = createPendingAnswers(createTimerQueue(clock))
    const controller = new AbortController()
    const late = pending.wait('late', callee, 100)
    const aborted = pending.wait('aborted', callee, 1_000, controller.signal)
    const before = pending.wait('before', callee, 1_000, AbortSignal.abort())
    const cancelled = pending.wait('cancelled', callee, 1_000)
    const left = pending.wait('left', callee, 1_000)
    controller.abort()
    cancelled.cancel()
    await clock.advance(100)
    pending.cancelAll()
    expect(await Promise.all([late, aborted, before, cancelled, left].map(({ answer }) => answer))).toEqual([
      'timeout',
      'cancelled',
      'cancelled',
      'cancelled',
      'cancelled',
    ])
    expect(pending.size()).toBe(0)
  })
})
