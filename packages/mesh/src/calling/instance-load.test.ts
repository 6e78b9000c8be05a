import type { InstanceDid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { createInstanceLoad } from './instance-load.ts'

const [one, other]: readonly [InstanceDid, InstanceDid] = ['did:key:zOne', 'did:key:zOther']

describe('createInstanceLoad', () => {
  it('counts calls in flight, each out once', () => {
    const load = createInstanceLoad()
    const leave = load.enter(one)
    load.enter(one)
    expect([load.cost(one), load.cost(other)]).toEqual([3, 1])
    leave()
    leave()
    expect(load.cost(one)).toBe(2)
  })

  it('costs more where calls take longer, and forgets slowness again', () => {
    const load = createInstanceLoad()
    load.enter(one)(100)
    load.enter(other)(10)
    expect([load.cost(one), load.cost(other)]).toEqual([100, 10])
    for (let call = 0; call < 20; call++) load.enter(one)(10)
    expect(load.cost(one)).toBeCloseTo(11, 0)
  })

  it('learns nothing from a call that was refused', () => {
    const load = createInstanceLoad()
    load.enter(one)(100)
    load.enter(one)()
    expect(load.cost(one)).toBe(100)
  })

  it('keeps no more than its bound, and never forgets a call in flight', () => {
    const load = createInstanceLoad(2)
    load.enter(one)
    load.enter(other)(100)
    load.enter('did:key:zThird')
    expect([load.cost(one), load.cost(other)]).toEqual([2, 1])
  })
})
