import { describe, expect, it } from 'vitest'
import { assertBrokerFit, brokerFeatures, hasBrokerFeature, listBrokerLacks } from './broker-features.ts'

describe('hasBrokerFeature', () => {
  const supported: readonly (readonly [version: string, has: readonly string[]])[] = [
    ['2.9.10', []],
    ['2.10.29', ['sync-always', 'stream-metadata']],
    ['2.11.4', ['sync-always', 'stream-metadata', 'message-expiry', 'safe-replicas']],
    ['2.12.1', Object.keys(brokerFeatures)],
    ['2.15.1', Object.keys(brokerFeatures)],
    ['2.12.0-RC.1', ['sync-always', 'stream-metadata', 'message-expiry', 'safe-replicas']],
    ['unknown', []],
  ]
  it.each(supported)('T41: knows what %s has', (version, has) => {
    const features = Object.keys(brokerFeatures) as (keyof typeof brokerFeatures)[]
    expect(features.filter((feature) => hasBrokerFeature(version, feature))).toEqual(has)
    expect(listBrokerLacks(version)).toHaveLength(features.length - has.length)
  })
  it('T14: lets no key expire where the broker would keep it for ever', () => {
    expect(hasBrokerFeature('2.10.29', 'message-expiry')).toBe(false)
  })
})

describe('assertBrokerFit', () => {
  it('T23: refuses replicas where a replicated stream can vanish, and brokers that ignore what a store relies on', () => {
    for (const [version, replicas] of [
      ['2.10.29', 3],
      ['2.8.4', 1],
      ['', 1],
    ] as const)
      expect(() => assertBrokerFit(version, replicas)).toThrow(expect.objectContaining({ code: 'store.unsafe-config' }))
    assertBrokerFit('2.9.10', 1)
    assertBrokerFit('2.11.0', 3)
  })
})
