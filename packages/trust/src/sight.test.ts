import { describe, expect, it } from 'vitest'
import type { Observed } from './evidence.ts'
import { parseSight, sightOf } from './sight.ts'

const about = { peer: 'p', capability: 'a:b' }

describe('sightOf', () => {
  it.each([
    ['callee', 'refused', undefined],
    ['callee', 'unknown', undefined],
    ['callee', 'unknown', 'deadline.exceeded'],
    ['caller', 'refused', 'identity.signature-invalid'],
    ['caller', 'refused', 'trust.below-threshold'],
    ['caller', 'refused', 'bulkhead.full'],
    ['caller', 'unknown', 'hop.cancelled'],
  ] as const)('finds nothing against a %s whose call ended %s with %s', (role, outcome, code) => {
    expect(sightOf({ ...about, role, outcome, ...(code && { code }) })).toBeUndefined()
  })

  it('blames a callee for what it signed itself to have broken', () => {
    for (const code of ['contract.output-invalid', 'contract.handler-failed'])
      expect(sightOf({ ...about, role: 'callee', outcome: 'unknown', code })).toMatchObject({ isFault: true })
  })

  it('lowers the policy compliance of a caller outside its grant, and nothing else', () => {
    for (const code of ['delegation.not-granted', 'policy.denied'])
      expect(sightOf({ ...about, role: 'caller', outcome: 'refused', code })?.targets).toEqual([0, -1, -1, -1, -1])
  })
})

describe('parseSight', () => {
  it('reads back what every sight is written as', () => {
    const all: readonly Observed[] = [
      { ...about, role: 'callee', outcome: 'ok' },
      { ...about, role: 'caller', outcome: 'refused', code: 'policy.denied' },
      { ...about, dimension: 'outputQuality', value: 1 / 3 },
      { ...about, incident: 'data-leaked', severity: 0.7 },
    ]
    for (const observed of all) {
      const sight = sightOf(observed)
      expect(sight).toBeDefined()
      expect(parseSight(sight?.text ?? '')).toEqual(sight)
    }
  })

  it('reads nothing else', () => {
    for (const text of [
      '',
      'callee',
      'callee great',
      'measure speed 1',
      'measure outputQuality 2',
      'incident 0 x',
      'incident 1',
    ])
      expect(parseSight(text)).toBeUndefined()
  })
})
