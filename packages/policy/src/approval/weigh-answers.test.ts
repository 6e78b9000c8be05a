import { systemHash } from '@parley/ports'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hopOf, type HopChanges } from '../policy-input.fixture.ts'
import { describeSubject, digestSubject } from './approval-subject.ts'
import { weighAnswers, type ApprovalAnswer, type ApprovalWord, type WeighedRequest } from './weigh-answers.ts'

const request: WeighedRequest = {
  demands: [{ approvers: ['acme/ann', 'acme/bob', 'acme/desk'], requires: 2, forMs: 1_000 }],
  direction: 'inbound',
  requester: 'did:o acme/desk',
  callee: 'did:shop shop/counter',
  onBehalfOf: '',
  expiresAtMs: 1_000,
}
const say = (word: ApprovalWord, name: string, expiresAtMs = 1_000): ApprovalAnswer => ({
  word,
  name,
  by: `did:o ${name}`,
  expiresAtMs,
})

describe('weighAnswers', () => {
  it('asks for as many different people as are required, none of whom asked', () => {
    const of = (...answers: readonly ApprovalAnswer[]): string => weighAnswers(request, answers, 0)
    expect(of()).toBe('waiting')
    expect(of(say('granted', 'acme/ann'), say('granted', 'acme/ann'))).toBe('waiting')
    expect(of(say('granted', 'acme/ann'), say('granted', 'acme/desk'))).toBe('waiting')
    expect(of(say('granted', 'acme/ann'), say('granted', 'acme/eve'))).toBe('waiting')
    expect(of(say('granted', 'acme/ann'), say('answered', 'acme/bob'))).toBe('waiting')
    expect(of(say('granted', 'acme/ann'), say('granted', 'acme/bob'))).toBe('granted')
    const forBob = { ...request, onBehalfOf: 'acme/bob' }
    expect(weighAnswers(forBob, [say('granted', 'acme/ann'), say('granted', 'acme/bob')], 0)).toBe('waiting')
  })

  it('ends by a denial or an amendment of somebody who has a say, and by nobody else', () => {
    const both = [say('granted', 'acme/ann'), say('granted', 'acme/bob')]
    expect(weighAnswers(request, [...both, say('denied', 'acme/ann')], 0)).toBe('denied')
    expect(weighAnswers(request, [...both, say('amended', 'acme/bob')], 0)).toBe('denied')
    expect(weighAnswers(request, [...both, say('denied', 'acme/eve')], 0)).toBe('granted')
  })

  it('is denied once it is too late, and a grant that expired counts for nothing', () => {
    const both = [say('granted', 'acme/ann'), say('granted', 'acme/bob', 500)]
    expect(weighAnswers(request, both, 499)).toBe('granted')
    expect(weighAnswers(request, both, 500)).toBe('waiting')
    expect(weighAnswers(request, both, 1_000)).toBe('denied')
  })

  it.each([
    ['inbound', 'did:shop', 'did:o'],
    ['outbound', 'did:o', 'did:shop'],
  ])('hears of a rule that names nobody, %s, the people of its own owner alone', (direction, own, other) => {
    const unnamed: WeighedRequest = { ...request, direction, demands: [{ approvers: [], requires: 1, forMs: 1_000 }] }
    const sayOf = (owner: string, word: ApprovalWord): ApprovalAnswer => ({
      ...say(word, 'x/ann'),
      by: `${owner} x/ann`,
    })
    expect(weighAnswers(unnamed, [sayOf(other, 'granted'), sayOf(other, 'denied')], 0)).toBe('waiting')
    expect(weighAnswers(unnamed, [sayOf('did:sho', 'granted')], 0)).toBe('waiting')
    expect(weighAnswers(unnamed, [sayOf(own, 'granted')], 0)).toBe('granted')
  })

  it('never grants what asks for nothing', () => {
    expect(weighAnswers({ ...request, demands: [] }, [say('granted', 'acme/ann')], 0)).toBe('waiting')
  })
})

describe('digestSubject', () => {
  const demands = [{ document: 'd', rule: 'r', approvers: [], requires: 1, forMs: 1_000 }]
  const digest = (changes: HopChanges, body: unknown, policyHash = 'p'): string =>
    digestSubject(describeSubject(hopOf(changes), { policyHash, demands, body }, systemHash), systemHash)

  it('is another for another action, argument, caller, saga step or policy, and not for another order of keys', () => {
    const same = digest({}, { a: 1, b: { c: 2, d: 3 } })
    expect(digest({}, { b: { d: 3, c: 2 }, a: 1 })).toBe(same)
    const saga = (step: string): HopChanges => ({ saga: { present: true, id: 's', step, attempt: 1 } })
    const others = [
      digest({}, { a: 2, b: { c: 2, d: 3 } }),
      digest({ action: 'cars:rent' }, { a: 1, b: { c: 2, d: 3 } }),
      digest({ caller: { name: 'acme/x' } }, { a: 1, b: { c: 2, d: 3 } }),
      digest({ onBehalfOf: 'x' }, { a: 1, b: { c: 2, d: 3 } }),
      digest({}, { a: 1, b: { c: 2, d: 3 } }, 'other'),
      digest(saga('one'), { a: 1, b: { c: 2, d: 3 } }),
      digest(saga('two'), { a: 1, b: { c: 2, d: 3 } }),
    ]
    expect(new Set([same, ...others]).size).toBe(others.length + 1)
  })

  it('tells any two JSON arguments apart', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
        const isSame = JSON.stringify(left) === JSON.stringify(right)
        fc.pre(!isSame && JSON.stringify(Object(left)) !== JSON.stringify(Object(right)))
        const canonical = (value: unknown): string => digest({}, value)
        expect(canonical(structuredClone(left))).toBe(canonical(left))
      }),
      { seed: 9, numRuns: 100 },
    )
  })
})
